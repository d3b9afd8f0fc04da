package main

import (
	"archive/zip"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hark/audio"
	"hark/im"
	"hark/presence/wire"
)

// TestAccountExport: all that is kept of a user comes out as files, and no secret.
func TestAccountExport(t *testing.T) {
	p := audioPlace(t, "", nil)
	ana, ben := p.addAccount("Ana"), p.addAccount("Ben")
	p.must("secret-ana\n", "account", "network", "set", ana.Number, "xmpp", "ana@example.org")
	p.must("", "account", "caller", "add", ana.Number, "+4930123456")
	empty := filepath.Join(p.dir, "ben.zip")
	p.must("", "account", "export", ben.Number, empty)
	if files := unzip(t, empty); files["messages.json"] != "[]\n" || files["recordings.json"] != "[]\n" || strings.Contains(files["account.json"], "null") {
		t.Errorf("of a new user there are %q", files)
	}

	if err := (&program{configPath: p.config}).withStores(t.Context(), func(s stores) error {
		if err := s.sessions.SetState(t.Context(), ana.Number, "draft", []byte(`{"text":"half a sent"}`)); err != nil {
			return err
		}
		for range 101 { // more than are read at once
			m := im.Message{From: im.Address{Network: "xmpp", ID: "ben@example.org"}, Body: "Grüße & <so>"}
			if _, err := s.sessions.Deliver(t.Context(), ana.Number, m); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	_, store, _ := p.openAudio()
	rec, err := store.PutFile(t.Context(), p.soundFile("spoken.wav", square(16000)), audio.Meta{Owner: ana.Number})
	if err != nil {
		t.Fatal(err)
	}

	path := filepath.Join(p.dir, "ana.zip")
	if said := p.must("", "account", "export", ana.Number, path); !strings.Contains(said, "messages: 101, recordings: 1.") {
		t.Errorf("it says %q", said)
	}
	files := unzip(t, path)
	var messages []wire.Message
	if err := json.Unmarshal([]byte(files["messages.json"]), &messages); err != nil || len(messages) != 101 || messages[100].Body != "Grüße & <so>" {
		t.Errorf("%d messages, %v", len(messages), err)
	}
	for name, want := range map[string]string{
		"account.json": "ana@example.org", "recordings.json": rec.ID, "recordings/" + rec.ID + ".wav": "RIFF",
	} {
		if !strings.Contains(files[name], want) {
			t.Errorf("%s has no %s: %.300q", name, want, files[name])
		}
	}
	for _, kept := range []string{"+4930123456", "half a sent"} {
		if !strings.Contains(files["account.json"], kept) {
			t.Errorf("account.json has no %s: %s", kept, files["account.json"])
		}
	}
	for name, text := range files {
		if strings.Contains(text, "secret-ana") || strings.Contains(text, ana.PIN) {
			t.Errorf("a secret is in %s", name)
		}
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	p.wants(map[string]string{
		"account export " + ana.Number + " " + path:              "error: " + path + " is there already",
		"account export 9999999 " + filepath.Join(p.dir, "none"): "error: there is no 9999999",
	})
}

// unzip reads the files of a ZIP file.
func unzip(t *testing.T, path string) map[string]string {
	t.Helper()
	archive, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer archive.Close()
	files := map[string]string{}
	for _, f := range archive.File {
		if age := time.Since(f.Modified); age < -time.Minute || age > time.Hour {
			t.Errorf("%s was made at %v", f.Name, f.Modified)
		}
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		files[f.Name] = string(text)
	}
	return files
}
