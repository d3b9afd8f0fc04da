package web

import (
	"fmt"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const dtds = "/usr/share/xml/w3c-sgml-lib/schema/dtd/"

// validate holds files against the DTD that they name, without the network.
func validate(t *testing.T, dtd string, pages ...string) {
	t.Helper()
	if _, err := exec.LookPath("xmllint"); err != nil {
		t.Skip("xmllint is missing: apt-get install libxml2-utils, or scripts/deps.sh")
	}
	if !strings.HasPrefix(dtd, "testdata/") {
		dtd = dtds + dtd
	}
	if _, err := os.Stat(dtd); err != nil {
		t.Skip("the DTDs are missing: apt-get install w3c-sgml-lib, or scripts/deps.sh")
	}
	for i, page := range pages {
		file := filepath.Join(t.TempDir(), fmt.Sprint(i, ".xml"))
		if err := os.WriteFile(file, []byte(page), 0o600); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command("xmllint", "--nonet", "--noout", "--catalogs", "--dtdvalid", dtd, file)
		cmd.Env = append(os.Environ(), "XML_CATALOG_FILES="+dtds+"catalog.xml")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v\n%s\n%s", err, out, page)
		}
	}
}

var sampleBodies = []string{"short", "", "Grüße & <küsse> \"$(p)\"\n\nthird", strings.Repeat("long $ 你好 ", 300)}

// The page for old browsers is valid XHTML Basic 1.1.
func TestBasicIsValid(t *testing.T) {
	var pages []string
	for _, body := range sampleBodies {
		w := httptest.NewRecorder()
		if err := writeHTML(w, samplePage(body), "Hark", "", false); err != nil {
			t.Fatal(err)
		}
		pages = append(pages, w.Body.String())
	}
	validate(t, "REC-xhtml-basic-20101123/xhtml-basic11.dtd", pages...)
}

// A deck is valid WML, by a DTD that has only what all versions of WML share.
func TestDeckIsValid(t *testing.T) {
	var pages []string
	for _, body := range sampleBodies {
		pages = append(pages, decks(t, samplePage(body), wmlScreen)...)
	}
	validate(t, "testdata/wml.dtd", pages...)
}

// The page for voice browsers is valid VoiceXML 2.1.
func TestVoiceIsValid(t *testing.T) {
	var pages []string
	for _, body := range sampleBodies {
		pages = append(pages, decks(t, samplePage(body), vxmlScreen)...)
	}
	validate(t, "REC-voicexml21-20070619/vxml.dtd", pages...)
}

// No deck is larger than we reckoned once a real gateway's compiler had it.
func TestCompiledSize(t *testing.T) {
	const tester = "/usr/lib/kannel/test/wml_tester"
	if _, err := os.Stat(tester); err != nil {
		t.Skip("wml_tester is missing: apt-get install kannel-extras, or scripts/deps.sh")
	}
	largest := 0
	for _, body := range []string{randomText(1, 2500, 0), randomText(2, 300, 5), randomText(3, 300, 8)} {
		for _, deck := range decks(t, samplePage(body), wmlScreen) {
			checkWML(t, deck)
			size, reckoned := compileWML(t, tester, deck), wmlScreen.size(deck)
			if size > reckoned+wmlMargin || size > wmlLimit {
				t.Errorf("%d bytes, reckoned %d:\n%s", size, reckoned, deck)
			}
			largest = max(largest, size)
		}
	}
	t.Logf("the largest deck has %d bytes", largest)
}

// randomText is a text of so many characters of every kind; or, with a length of words, of so many words that all come
// twice, which is the worst for a compiler's table of words.
func randomText(seed uint64, n, word int) string {
	r := rand.New(rand.NewPCG(seed, 0))
	signs := []rune("aaaa bcdefghij \n$&<>\"'é你🙂$(p)")
	var b strings.Builder
	for range n {
		if word == 0 {
			b.WriteRune(signs[r.IntN(len(signs))])
			continue
		}
		w := make([]byte, word)
		for i := range w {
			w[i] = byte('a' + r.IntN(26))
		}
		fmt.Fprintf(&b, "%s %s ", w, w)
	}
	return b.String()
}

// compileWML returns the size of a deck when Kannel has compiled it.
func compileWML(t *testing.T, tester, deck string) int {
	t.Helper()
	dir := t.TempDir()
	in, out := filepath.Join(dir, "deck.wml"), filepath.Join(dir, "deck.wmlc")
	if err := os.WriteFile(in, []byte(deck), 0o600); err != nil {
		t.Fatal(err)
	}
	text, err := exec.Command(tester, "-b", "-f", out, in).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s\n%s", err, text, deck)
	}
	file, err := os.Stat(out)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return int(file.Size())
}
