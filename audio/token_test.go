package audio

import (
	"crypto/rand"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func testKeys(t testing.TB) (*keyring, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "keys", "audio.keys")
	k, err := loadKeys(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	return k, path
}

func TestToken(t *testing.T) {
	k, _ := testKeys(t)
	day := time.Date(2026, 11, 23, 23, 59, 59, 0, time.UTC)
	token, object := k.mint(day)
	if len(token) != tokenText || !strings.HasPrefix(object, "2026-11-23/") || !ValidKey(object) {
		t.Errorf("token %q, object %q", token, object)
	}
	if got, signed, ok := k.parse(token); got != object || !signed || !ok {
		t.Errorf("parse: %q, %v, %v", got, signed, ok)
	}
	if id := keyToID(object); len(id) != 43 {
		t.Errorf("the id is %q", id)
	} else if key, ok := idToKey(id); !ok || key != object {
		t.Errorf("back from the id: %q, %v", key, ok)
	}
	for _, bad := range []string{"", token[1:], token + "A", "*" + token[1:], strings.Repeat("é", 18)} {
		if _, _, ok := k.parse(bad); ok {
			t.Errorf("%q has the form of a token", bad)
		}
	}
}

// TestEveryBitIsSigned flips each bit of a token.
func TestEveryBitIsSigned(t *testing.T) {
	k, _ := testKeys(t)
	token, _ := k.mint(time.Now())
	b, err := tokenCode.DecodeString(token)
	if err != nil {
		t.Fatal(err)
	}
	for i := range b {
		for bit := range 8 {
			b[i] ^= 1 << bit
			if _, signed, _ := k.parse(tokenCode.EncodeToString(b)); signed {
				t.Errorf("bit %d of byte %d is not signed", bit, i)
			}
			b[i] ^= 1 << bit
		}
	}
}

func TestRotatedKeysKeepOldLinks(t *testing.T) {
	old, path := testKeys(t)
	before, object := old.mint(time.Now())
	for range 3 {
		if err := RotateKeys(path, nil); err != nil {
			t.Fatal(err)
		}
	}
	k, err := loadKeys(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(k.keys) != 4 {
		t.Fatalf("%d keys after three rotations", len(k.keys))
	}
	if got, signed, ok := k.parse(before); got != object || !signed || !ok {
		t.Errorf("an old link: %q, %v, %v", got, signed, ok)
	}
	after, _ := k.mint(time.Now())
	if _, signed, _ := old.parse(after); signed {
		t.Error("the new link is signed with the old key")
	}
}

func TestKeyFile(t *testing.T) {
	_, path := testKeys(t)
	if st, err := os.Stat(path); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("the key file's mode: %v, %v", st.Mode(), err)
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := loadKeys(path, nil); err == nil {
		t.Error("a key file that the group may read was accepted")
	}
	for _, bad := range []string{"", "# nothing\n", "1 short\n", "256 " + strings.Repeat("A", 44) + "\n", "x\n"} {
		if _, err := parseKeys([]byte(bad)); err == nil {
			t.Errorf("accepted: %q", bad)
		}
	}
}

// TestSecondStartFindsTheKeys: both of two first starts at the same time end with the same key.
func TestSecondStartFindsTheKeys(t *testing.T) {
	a, path := testKeys(t)
	text, err := makeKeyFile(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	b, err := parseKeys(text)
	if err != nil {
		t.Fatal(err)
	}
	token, _ := a.mint(time.Now())
	if _, signed, _ := b.parse(token); !signed {
		t.Error("the second start made a key of its own")
	}
}

func FuzzToken(f *testing.F) {
	k, _ := testKeys(f)
	token, _ := k.mint(time.Now())
	f.Add(token)
	f.Add(strings.Repeat("A", tokenText))
	f.Fuzz(func(t *testing.T, s string) {
		object, signed, ok := k.parse(s)
		if signed && s != token {
			t.Fatalf("%q is signed", s)
		}
		if ok && !ValidKey(object) {
			t.Fatalf("%q leads to %q", s, object)
		}
		if _, known := idToKey(s); known && !ValidKey(s) {
			t.Fatalf("the id %q is a key that is not allowed", s)
		}
	})
}

func BenchmarkToken(b *testing.B) {
	k, _ := testKeys(b)
	var raw [tokenBody + tokenMAC]byte
	_, _ = rand.Read(raw[:])
	token := tokenCode.EncodeToString(raw[:])
	for b.Loop() {
		k.parse(token)
	}
}
