package testbed

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"
)

// TestNginxServesItsFolder, and leaves nothing behind.
func TestNginxServesItsFolder(t *testing.T) {
	if firstMatch("/usr/sbin/nginx") == "" {
		t.Skip("nginx is missing: apt-get install nginx-light")
	}
	n, err := StartNginx(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(n.Dir, "file"), []byte("what it says"), 0o600); err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, n.URL+"file", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Close = true
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if got, err := io.ReadAll(answer.Body); string(got) != "what it says" {
		t.Errorf("%s: %q, %v", answer.Status, got, err)
	}
	if err := n.Discard(); err != nil {
		t.Error(err)
	}
	gone(t, n.process.pid())
	if _, err := os.Stat(n.Dir); !os.IsNotExist(err) {
		t.Errorf("its folder is still there: %v", err)
	}
}
