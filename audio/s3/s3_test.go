package s3_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"hark/audio"
	"hark/audio/audiotest"
	"hark/audio/s3"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// server starts a small S3 server with a bucket, and says how to reach it.
func server(t *testing.T) s3.Config {
	t.Helper()
	backend := s3mem.New()
	if err := backend.CreateBucket("recordings"); err != nil {
		t.Fatal(err)
	}
	fake := gofakes3.New(backend).Server()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Every real server takes an empty delimiter for none; this one does not.
		q := r.URL.Query()
		if q.Has("delimiter") && q.Get("delimiter") == "" {
			q.Del("delimiter")
			r.URL.RawQuery = q.Encode()
		}
		fake.ServeHTTP(w, r)
	}))
	t.Cleanup(srv.Close)
	return s3.Config{Endpoint: strings.TrimPrefix(srv.URL, "http://"), Bucket: "recordings", Prefix: "hark/", Access: "key", Secret: "secret"}
}

func TestBackend(t *testing.T) {
	audiotest.Run(t, func(t *testing.T) audio.Backend {
		b, err := s3.Open(t.Context(), server(t))
		if err != nil {
			t.Fatal(err)
		}
		return b
	})
}

func TestOpenRefuses(t *testing.T) {
	good := server(t)
	for name, change := range map[string]func(*s3.Config){
		"no such bucket": func(c *s3.Config) { c.Bucket = "others" },
		"a bad prefix":   func(c *s3.Config) { c.Prefix = "hark" },
		"a bad endpoint": func(c *s3.Config) { c.Endpoint = "http://a/b" },
	} {
		cfg := good
		change(&cfg)
		if b, err := s3.Open(t.Context(), cfg); err == nil {
			_ = b.Close()
			t.Errorf("%s was accepted", name)
		}
	}
}

func TestPrefixKeepsApart(t *testing.T) {
	cfg := server(t)
	one, err := s3.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer one.Close()
	cfg.Prefix = "other/"
	two, err := s3.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer two.Close()
	if err := one.Put(t.Context(), "a/b", []byte("x")); err != nil {
		t.Fatal(err)
	}
	for info, err := range two.List(t.Context(), "") {
		t.Errorf("the other prefix lists %v, %v", info, err)
	}
}
