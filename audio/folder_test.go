package audio_test

import (
	"os"
	"path/filepath"
	"testing"

	"hark/audio"
	"hark/audio/audiotest"
)

func openFolder(t *testing.T) audio.Backend {
	t.Helper()
	f, err := audio.OpenFolder(filepath.Join(t.TempDir(), "audio"))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestFolder(t *testing.T) { audiotest.Run(t, openFolder) }

// TestFolderStaysInside: a symbolic link that somebody put there leads nowhere.
func TestFolderStaysInside(t *testing.T) {
	top := t.TempDir()
	secret := filepath.Join(top, "secret")
	if err := os.WriteFile(secret, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := audio.OpenFolder(filepath.Join(top, "audio"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for name, target := range map[string]string{"abs": secret, "rel": "../secret", "dir": top} {
		if err := os.Symlink(target, filepath.Join(top, "audio", name)); err != nil {
			t.Fatal(err)
		}
	}
	for _, key := range []string{"abs", "rel", "dir/secret"} {
		if o, err := f.Open(t.Context(), key); err == nil {
			_ = o.Close()
			t.Errorf("%s was opened", key)
		}
	}
	if err := f.Put(t.Context(), "dir/new", []byte("x")); err == nil {
		t.Error("something was put outside")
	}
}

// TestFolderPath: no symbolic link is left in what Asterisk is told.
func TestFolderPath(t *testing.T) {
	top, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(top, "real"), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("real", filepath.Join(top, "link")); err != nil {
		t.Fatal(err)
	}
	f, err := audio.OpenFolder(filepath.Join(top, "link"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if got, err := f.Path("a/b.wav"); err != nil || got != filepath.Join(top, "real", "a", "b.wav") {
		t.Errorf("Path: %q, %v", got, err)
	}
	if got, err := f.Path("../b.wav"); err == nil {
		t.Errorf("Path outside: %q", got)
	}
}
