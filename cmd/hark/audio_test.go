package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hark/audio"
	"hark/audio/s3/s3test"
	"hark/internal/wav"
)

// audioPlace is what one of several nodes, with folders of its own, keeps its voice messages with. The key file is
// copied from the node before.
func audioPlace(t *testing.T, audioKeys string, from *place) *place {
	t.Helper()
	p := &place{t: t, dir: t.TempDir()}
	p.config = filepath.Join(p.dir, "hark.toml")
	text := fmt.Sprintf("db = %q\n[audio]\nurl = \"http://im.test/a/\"\n%s", filepath.Join(p.dir, "hark.db"), audioKeys)
	if err := os.WriteFile(p.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if from != nil {
		secrets, err := os.ReadFile(filepath.Join(from.dir, "hark.keys"))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(p.dir, "hark.keys"), secrets, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

// openAudio opens the place's store as the server does, with the handler of its links.
func (p *place) openAudio() (config, *audio.Store, http.Handler) {
	p.t.Helper()
	c, err := loadConfig(p.config)
	if err != nil {
		p.t.Fatal(err)
	}
	store, err := c.openAudio(p.t.Context(), 0, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() {
		if err := store.Close(); err != nil {
			p.t.Error(err)
		}
	})
	return c, store, audio.NewHandler(store, audio.HandlerConfig{})
}

// speak keeps two seconds of a tone as a user's voice message.
func speak(t *testing.T, c config, store *audio.Store) (audio.Recording, string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "spoken.wav")
	if err := wav.Write(file, wav.Sound{Rate: 8000, Samples: square(16000)}); err != nil {
		t.Fatal(err)
	}
	rec, err := store.PutFile(t.Context(), file, c.Audio.meta("4711001", "Ana Ruiz", false))
	if err != nil {
		t.Fatal(err)
	}
	return rec, strings.TrimPrefix(rec.URL, "http://im.test")
}

func square(n int) []int16 {
	s := make([]int16, n)
	for i := range s {
		s[i] = int16(2000 - i/8%2*4000)
	}
	return s
}

func status(h http.Handler, path, agent string) int {
	r := httptest.NewRequest("GET", path, nil)
	r.Header.Set("User-Agent", agent)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code
}

// TestNodesShareABucket: a voice message that one node took is played, listed and revoked at another one, which shares
// nothing with it but the bucket and the file of secrets.
func TestNodesShareABucket(t *testing.T) {
	bucket := s3test.Server(t)
	keys := fmt.Sprintf("bucket = \"http://%s/%s/%s\"\nbucket_access = %q\nbucket_secret = %q\n",
		bucket.Endpoint, bucket.Bucket, bucket.Prefix, bucket.Access, bucket.Secret)
	one := audioPlace(t, keys, nil)
	c, store, first := one.openAudio()
	rec, path := speak(t, c, store)
	two := audioPlace(t, keys, one)
	_, _, second := two.openAudio()
	for name, h := range map[string]http.Handler{"the node itself": first, "the other one": second} {
		if got := status(h, path+".mp3", "player"); got != http.StatusOK {
			t.Errorf("%s says %d", name, got)
		}
	}
	if list := two.must("", "audio", "list"); !strings.Contains(list, rec.ID) {
		t.Errorf("audio list says %q", list)
	}
	two.must("", "audio", "revoke", rec.ID)
	for deadline := time.Now().Add(20 * time.Second); status(first, path, "player") != http.StatusGone; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("what another node revoked is still there")
		}
	}
	if !strings.Contains(two.must("", "check"), bucket.Endpoint) {
		t.Error("hark check does not say where the recordings are")
	}
}

// TestAudioBounds: what hark.toml says of voice messages holds.
func TestAudioBounds(t *testing.T) {
	p := audioPlace(t, "plays = 1\nsender = false\nmessages = 2\n", nil)
	c, store, h := p.openAudio()
	rec, path := speak(t, c, store)
	if rec.From != "" {
		t.Errorf("the sender is told: %q", rec.From)
	}
	if first, second := status(h, path+".wav", "ana"), status(h, path+".wav", "ben"); first != 200 || second != 410 {
		t.Errorf("the only play and the next: %d, %d", first, second)
	}
	speak(t, c, store)
	if err := store.CanRecord(t.Context(), "4711001"); err == nil {
		t.Error("a third recording is allowed")
	}
	p.must("", "audio", "rotate")
	_, _, rotated := p.openAudio()
	if got := status(rotated, path+".wav", "ana"); got != http.StatusOK {
		t.Errorf("after the keys were rotated the link's only listener gets %d", got)
	}
}

// TestAudioCommands: what an operator sees of a recording, also when it is damaged.
func TestAudioCommands(t *testing.T) {
	p := audioPlace(t, "", nil)
	c, store, _ := p.openAudio()
	rec, path := speak(t, c, store)
	if err := store.Wait(t.Context(), rec); err != nil {
		t.Fatal(err)
	}
	shown := p.must("", "audio", "show", rec.ID)
	if !strings.Contains(shown, `"Ana Ruiz"`) || strings.Contains(shown, strings.TrimPrefix(path, "/a/")) {
		t.Errorf("audio show says %s", shown)
	}
	if list := p.must("", "audio", "list", "--user", "4711002"); strings.Contains(list, rec.ID) {
		t.Errorf("somebody else's recordings: %s", list)
	}
	if got := p.must("", "audio", "verify"); got != "1 checked, 0 faulty.\n" {
		t.Errorf("audio verify says %q", got)
	}
	if got := p.must("", "audio", "gc"); got != "0 expired, 0 left behind: removed.\n" {
		t.Errorf("audio gc says %q", got)
	}
	day := len(time.DateOnly)
	damaged := filepath.Join(c.Audio.Dir, rec.ID[:day], rec.ID[day+1:]+".mp3")
	if err := os.Truncate(damaged, 1000); err != nil {
		t.Fatal(err)
	}
	if got, err := p.run("", "audio", "verify"); err == nil || !strings.Contains(got, rec.ID) || !strings.Contains(got, "1 checked, 1 faulty.") {
		t.Errorf("audio verify of damage says %q, %v", got, err)
	}
	p.must("", "audio", "revoke", rec.URL)
	if got, err := p.run("", "audio", "show", rec.ID); err == nil || !strings.Contains(err.Error(), "there is no recording") {
		t.Errorf("audio show of what was revoked says %q, %v", got, err)
	}
}
