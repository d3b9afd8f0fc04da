// Package s3test starts a small S3 server for tests.
package s3test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"hark/audio/s3"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
)

// Server starts an S3 server with an empty bucket in memory, and says how to reach it. It ends with the test.
func Server(t testing.TB) s3.Config {
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
