package db

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestCheck looks at files that can be opened and at some that cannot, and makes none.
func TestCheck(t *testing.T) {
	folder := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	opened := filepath.Join(folder, "made", "hark.db")
	d, err := Open(t.Context(), Options{Source: opened})
	if err != nil {
		t.Fatalf("Open makes the folder: %v", err)
	}
	defer d.Close()
	none := filepath.Join(folder, "none", "hark.db")
	for _, path := range []string{opened, file("empty", ""), none} {
		if err := Check(t.Context(), path); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
	if _, err := os.Stat(filepath.Dir(none)); err == nil {
		t.Error("looking made the folder")
	}
	for path, want := range map[string]string{
		file("short", "x"): "short is no SQLite database",
		file("text", "this is a letter, and no database"): "text is no SQLite database",
		folder: "is a directory",
		"postgres://hark:hidden@127.0.0.1:1/d?sslmode=disable": "connection refused",
	} {
		if err := Check(t.Context(), path); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hidden") {
			t.Errorf("%s: got %v, want …%s", path, err, want)
		}
	}
}
