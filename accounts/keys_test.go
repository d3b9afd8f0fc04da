package accounts

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"hark/db"
)

func TestKeyFileIsMadeOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hark.key")
	keys := make([]*Keys, 8)
	var wg sync.WaitGroup
	for i := range keys {
		wg.Go(func() {
			var err error
			if keys[i], err = LoadKeys(path); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for _, k := range keys {
		if !bytes.Equal(k.Derive("x"), keys[0].Derive("x")) || bytes.Equal(k.Derive("x"), k.Derive("y")) {
			t.Error("keys differ, or purposes do not")
		}
	}
	info, err := os.Stat(path)
	must(t, err)
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode is %v", info.Mode())
	}
	files, err := os.ReadDir(filepath.Dir(path))
	if len(files) != 1 || err != nil {
		t.Errorf("files: %v, %v", files, err)
	}
}

func TestBadKeyFiles(t *testing.T) {
	folder := t.TempDir()
	good := filepath.Join(folder, "good")
	_, err := LoadKeys(good)
	must(t, err)
	text, err := os.ReadFile(good)
	must(t, err)
	for name, c := range map[string]struct {
		text string
		mode os.FileMode
		want string
	}{
		"readable": {string(text), 0o640, "chmod it to 0600"},
		"empty":    {"", 0o600, "first line"},
		"another":  {"-----BEGIN PRIVATE KEY-----\n", 0o600, "first line"},
		"short":    {keyHeader + "c2hvcnQ=\n", 0o600, "32 bytes"},
		"garbled":  {keyHeader + "!!!\n", 0o600, "32 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(folder, name)
			must(t, os.WriteFile(path, []byte(c.text), c.mode))
			must(t, os.Chmod(path, c.mode))
			if _, err := LoadKeys(path); err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), path) {
				t.Errorf("error is %v", err)
			}
		})
	}
	if _, err := LoadKeys(filepath.Join(folder, "no", "folder")); err == nil {
		t.Error("a folder that is not there")
	}
}

func TestWrongKeyIsRefusedInWords(t *testing.T) {
	ctx := context.Background()
	folder := t.TempDir()
	database, err := db.Open(ctx, db.Options{Source: filepath.Join(folder, "hark.db")})
	must(t, err)
	defer database.Close()
	first, err := LoadKeys(filepath.Join(folder, "first"))
	must(t, err)
	second, err := LoadKeys(filepath.Join(folder, "second"))
	must(t, err)
	for range 2 {
		_, err = Open(ctx, database, first, Options{Cost: cheap})
		must(t, err)
	}
	if _, err = Open(ctx, database, second, Options{Cost: cheap}); err == nil || !strings.Contains(err.Error(), "put that one back") {
		t.Errorf("error is %v", err)
	}
}
