package audio

import (
	"bytes"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestRanges is RFC 9110, section 14, for each form.
func TestRanges(t *testing.T) {
	s, h, rec, path := served(t, 2*time.Second, Meta{})
	if err := s.Wait(t.Context(), rec); err != nil {
		t.Fatal(err)
	}
	for _, f := range forms {
		t.Run(string(f), func(t *testing.T) { rangeTable(t, h, path+"."+string(f)) })
	}
}

func rangeTable(t *testing.T, h http.Handler, path string) {
	whole := body(t, ask(h, "GET", path))
	n := len(whole)
	part := func(from, to int) string { return fmt.Sprintf("bytes %d-%d/%d", from, to-1, n) }
	const ignored = ""
	none := fmt.Sprintf("bytes */%d", n)
	for _, c := range []struct {
		ask      string
		from, to int // to is not included
		says     string
	}{
		{"bytes=0-", 0, n, part(0, n)},
		{"bytes=0-1", 0, 2, part(0, 2)},
		{"bytes=0-0", 0, 1, part(0, 1)},
		{"bytes=100-199", 100, 200, part(100, 200)},
		{"bytes=00100-0199", 100, 200, part(100, 200)},
		{fmt.Sprintf("bytes=%d-", n-1), n - 1, n, part(n-1, n)},
		{"bytes=-1", n - 1, n, part(n-1, n)},
		{"bytes=-500", n - 500, n, part(n-500, n)},
		{fmt.Sprintf("bytes=-%d", n+9), 0, n, part(0, n)},
		{"bytes=-99999999999999999999", 0, n, part(0, n)},
		{fmt.Sprintf("bytes=10-%d", n+9), 10, n, part(10, n)},
		{"bytes=10-99999999999999999999", 10, n, part(10, n)},
		// A unit's name may be written in any case, and a list may have empty elements and spaces.
		{"Bytes=0-1", 0, 2, part(0, 2)},
		{"bytes= 0-1 ", 0, 2, part(0, 2)},
		{"bytes=,0-1,,", 0, 2, part(0, 2)},
		{fmt.Sprintf("bytes=%d-,5-9", n), 5, 10, part(5, 10)}, // of two, the one that can be had
		// What no byte is in.
		{fmt.Sprintf("bytes=%d-", n), 0, 0, none},
		{fmt.Sprintf("bytes=%d-%d", n, n+1), 0, 0, none},
		{"bytes=99999999999999999999-", 0, 0, none},
		{"bytes=-0", 0, 0, none},
		{"bytes=-0,-000", 0, 0, none},
		// What is no range of bytes is ignored.
		{"bytes=5-4", 0, n, ignored},
		{"bytes=x-y", 0, n, ignored},
		{"bytes=1-2,x", 0, n, ignored},
		{"bytes=-", 0, n, ignored},
		{"bytes=--1", 0, n, ignored},
		{"bytes=+1-2", 0, n, ignored},
		{"bytes=5", 0, n, ignored},
		{"bytes=", 0, n, ignored},
		{"bytes", 0, n, ignored},
		{"0-1", 0, n, ignored},
		{"seconds=0-1", 0, n, ignored},
		{"bytes=" + strings.Repeat("0-0,", 20) + "0-0", 0, n, ignored},
	} {
		r := ask(h, "GET", path, "Range", c.ask)
		b := body(t, r)
		status := map[string]int{ignored: 200, none: 416}[c.says]
		if status == 0 {
			status = 206
		}
		if r.StatusCode != status || r.Header.Get("Content-Range") != c.says {
			t.Errorf("%s: %s, Content-Range %q", c.ask, r.Status, r.Header.Get("Content-Range"))
			continue
		}
		if status == 416 {
			continue
		}
		if !bytes.Equal(b, whole[c.from:c.to]) || r.Header.Get("Content-Length") != fmt.Sprint(c.to-c.from) || r.Header.Get("Accept-Ranges") != "bytes" {
			t.Errorf("%s: %d bytes, %v", c.ask, len(b), r.Header)
		}
	}
	// Ranges are for GET alone (section 14.2).
	if r := ask(h, "HEAD", path, "Range", "bytes=0-1"); r.StatusCode != 200 || r.Header.Get("Content-Length") != fmt.Sprint(n) || r.Header.Get("Content-Range") != "" {
		t.Errorf("HEAD: %s %v", r.Status, r.Header)
	}
}

func TestSeveralRanges(t *testing.T) {
	_, h, _, path := served(t, time.Second, Meta{})
	whole := body(t, ask(h, "GET", path+".wav"))
	r := ask(h, "GET", path+".wav", "Range", "bytes=0-9,100-149,-5")
	b := body(t, r)
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if r.StatusCode != 206 || kind != "multipart/byteranges" || err != nil || r.Header.Get("Content-Length") != fmt.Sprint(len(b)) {
		t.Fatalf("%s %v", r.Status, r.Header)
	}
	parts := multipart.NewReader(bytes.NewReader(b), params["boundary"])
	for _, want := range [][]byte{whole[:10], whole[100:150], whole[len(whole)-5:]} {
		p, err := parts.NextPart()
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(p); err != nil || !bytes.Equal(got, want) || p.Header.Get("Content-Type") != "audio/wav" {
			t.Errorf("%s: %d bytes, %v", p.Header.Get("Content-Range"), len(got), err)
		}
	}
}

func TestConditions(t *testing.T) {
	_, h, _, path := served(t, time.Second, Meta{})
	path += ".wav"
	first := ask(h, "GET", path)
	tag, modified := first.Header.Get("ETag"), first.Header.Get("Last-Modified")
	for _, c := range []struct {
		headers []string
		status  int
	}{
		{[]string{"If-None-Match", tag}, 304},
		{[]string{"If-None-Match", `"other"`}, 200},
		{[]string{"If-None-Match", `"other", W/` + tag}, 304}, // the weak comparison
		{[]string{"If-None-Match", "*"}, 304},
		{[]string{"If-None-Match", `"other"`, "If-Modified-Since", modified}, 200}, // the tag decides
		{[]string{"If-Match", tag}, 200},
		{[]string{"If-Match", "*"}, 200},
		{[]string{"If-Match", "W/" + tag}, 412}, // the strong comparison
		{[]string{"If-Unmodified-Since", modified}, 200},
		{[]string{"If-Unmodified-Since", "Mon, 01 Jan 2001 00:00:00 GMT"}, 412},
		{[]string{"If-Match", `"other"`}, 412},
		{[]string{"If-Modified-Since", modified}, 304},
		{[]string{"If-Range", tag, "Range", "bytes=0-1"}, 206},
		{[]string{"If-Range", `"other"`, "Range", "bytes=0-1"}, 200},
		{[]string{"If-Range", modified, "Range", "bytes=0-1"}, 206},
		{[]string{"If-Range", "W/" + tag, "Range", "bytes=0-1"}, 200}, // a weak tag promises nothing about bytes
		{[]string{"If-Range", "Mon, 01 Jan 2001 00:00:00 GMT", "Range", "bytes=0-1"}, 200},
		{[]string{"If-Range", `"other"`, "Range", "bytes=9999999-"}, 200},
		{[]string{"If-None-Match", tag, "Range", "bytes=0-1"}, 304}, // before the range
		{[]string{"If-Match", `"other"`, "Range", "bytes=0-1"}, 412},
	} {
		if r := ask(h, "GET", path, c.headers...); r.StatusCode != c.status {
			t.Errorf("%v: %s, want %d", c.headers, r.Status, c.status)
		}
	}
	if tag == ask(h, "GET", strings.TrimSuffix(path, "wav")+"mp3").Header.Get("ETag") {
		t.Error("two forms have the same ETag")
	}
}

// FuzzRange: the answer is the whole, or what its own Content-Range says.
func FuzzRange(f *testing.F) {
	for _, s := range []string{"bytes=0-", "bytes=-1", "bytes=-0", "bytes=0-1,5-", "bytes=9223372036854775807-", "bytes=--1", "items=0-1"} {
		f.Add(s)
	}
	_, h, _, path := served(f, time.Second, Meta{})
	whole := body(f, ask(h, "GET", path+".wav"))
	f.Fuzz(func(t *testing.T, ranges string) {
		r := ask(h, "GET", path+".wav", "Range", ranges)
		b, says := body(t, r), r.Header.Get("Content-Range")
		var from, to, size int
		switch {
		case r.StatusCode == 200 && says == "" && bytes.Equal(b, whole):
		case r.StatusCode == 416 && says == fmt.Sprintf("bytes */%d", len(whole)):
		case r.StatusCode == 206 && says == "": // several
			if kind := r.Header.Get("Content-Type"); !strings.HasPrefix(kind, "multipart/byteranges") || len(b) > 2*len(whole) {
				t.Errorf("%s, %d bytes", kind, len(b))
			}
		case r.StatusCode == 206:
			if n, err := fmt.Sscanf(says, "bytes %d-%d/%d", &from, &to, &size); n != 3 || err != nil || size != len(whole) || from > to || !bytes.Equal(b, whole[from:to+1]) {
				t.Errorf("%q with %d bytes", says, len(b))
			}
		default:
			t.Errorf("%s, Content-Range %q, %d bytes", r.Status, says, len(b))
		}
	})
}
