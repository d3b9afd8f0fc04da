package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// reopened is what the next process finds. before is what this one had open, or nil; nothing else ends with it than the
// lock on its file.
func reopened(t *testing.T, before *callNotes, dir string, key []byte) *callNotes {
	t.Helper()
	if before != nil {
		before.Close()
	}
	m, err := openNotes(dir, key)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

func TestCallNotes(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "calls")
	key := bytes.Repeat([]byte{7}, 32)
	m := reopened(t, nil, dir, key)
	if note, err := m.Recall("../x"); note != nil || err != nil {
		t.Errorf("an unknown call has %q, %v", note, err)
	}
	for _, text := range []string{"the first, which is longer", "session token"} {
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
	if other, err := openNotes(dir, key); err == nil {
		other.Close()
		t.Error("two processes have the notes open")
	}
	again := reopened(t, m, dir, key)
	if note, err := again.Recall("../x"); string(note) != "session token" || err != nil {
		t.Errorf("another process recalls %q, %v", note, err)
	}
	if err := again.Forget("../x"); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if note, err := again.Recall("../x"); note != nil || err != nil {
			t.Errorf("a call that was forgotten has %q, %v", note, err)
		}
		again = reopened(t, again, dir, key)
	}
	if err := again.Forget("../x"); err != nil {
		t.Errorf("forgetting nothing: %v", err)
	}
	if err := again.Keep("long", make([]byte, pageSize)); err == nil {
		t.Error("a note that does not fit into its page was kept")
	}
}

func TestCallNotesUsePagesAgain(t *testing.T) {
	dir, key := t.TempDir(), make([]byte, 32)
	m := reopened(t, nil, dir, key)
	for n := range 100 {
		call := fmt.Sprint(n)
		if err := m.Keep(call, []byte("note "+call)); err != nil {
			t.Fatal(err)
		}
		if n >= 3 {
			if err := m.Forget(fmt.Sprint(n - 3)); err != nil {
				t.Fatal(err)
			}
		}
	}
	m = reopened(t, m, dir, key)
	for n, want := range map[int]string{96: "", 97: "note 97", 98: "note 98", 99: "note 99"} {
		if note, err := m.Recall(fmt.Sprint(n)); string(note) != want || err != nil {
			t.Errorf("call %d has %q, %v", n, note, err)
		}
	}
	if info, err := m.file.Stat(); err != nil || info.Size() > 4*pageSize {
		t.Errorf("four calls at once take %d bytes, %v", info.Size(), err)
	}
}

// TestCallNotesDamaged looks at notes that are another call's, too old, or cut off.
func TestCallNotesDamaged(t *testing.T) {
	dir, key := t.TempDir(), make([]byte, 32)
	m := reopened(t, nil, dir, key)
	for _, call := range []string{"a", "old", "last"} {
		if err := m.Keep(call, []byte("note")); err != nil {
			t.Fatal(err)
		}
	}
	stranger := hashOf("stranger")
	yesterday := binary.BigEndian.AppendUint64(nil, uint64(time.Now().Add(-2*noteAge).Unix()))
	for at, text := range map[int64][]byte{0: stranger[:], pageSize + 16: yesterday} {
		if _, err := m.file.WriteAt(text, at); err != nil {
			t.Fatal(err)
		}
	}
	if err := m.file.Truncate(2*pageSize + pageHead + 10); err != nil {
		t.Fatal(err)
	}
	m = reopened(t, m, dir, key)
	for _, call := range []string{"stranger", "last"} {
		if note, err := m.Recall(call); err == nil {
			t.Errorf("the note of %s was opened: %q", call, note)
		}
	}
	if note, err := m.Recall("old"); note != nil || err != nil {
		t.Errorf("the note of a call that is long over is %q, %v", note, err)
	}
}
