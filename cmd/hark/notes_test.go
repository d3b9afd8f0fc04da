package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestCallNotes(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "calls")
	key := bytes.Repeat([]byte{7}, 32)
	m, err := openNotes(dir, key)
	if err != nil {
		t.Fatal(err)
	}
	if note, err := m.Recall("../x"); note != nil || err != nil {
		t.Errorf("an unknown call has %q, %v", note, err)
	}
	for _, text := range []string{"first", "session token"} {
		if err := m.Keep("../x", []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	files, _ := filepath.Glob(filepath.Join(dir, "*"))
	if len(files) != 1 {
		t.Fatalf("files %v", files)
	}
	raw, err := os.ReadFile(files[0])
	info, _ := os.Stat(files[0])
	if err != nil || bytes.Contains(raw, []byte("token")) || info.Mode().Perm() != 0o600 {
		t.Errorf("it can be read: %q, %v, %v", raw, info.Mode(), err)
	}
	again, err := openNotes(dir, key)
	if err != nil {
		t.Fatal(err)
	}
	if note, err := again.Recall("../x"); string(note) != "session token" || err != nil {
		t.Errorf("another process recalls %q, %v", note, err)
	}
	if err := os.Rename(m.path("../x"), m.path("other")); err != nil {
		t.Fatal(err)
	}
	if note, err := m.Recall("other"); err == nil {
		t.Errorf("the note of another call was opened: %q", note)
	}
	if err := os.Chtimes(m.path("other"), time.Time{}, time.Now().Add(-2*noteAge)); err != nil {
		t.Fatal(err)
	}
	if _, err := openNotes(dir, key); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(m.path("other")); err == nil {
		t.Error("the note of a call that is long over is still there")
	}
	if err := m.Forget("other"); err != nil {
		t.Errorf("forgetting nothing: %v", err)
	}
}
