package main

import (
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/crypto/chacha20poly1305"

	"hark/ivr"
)

// noteAge is how long the note of a call that nobody ended is kept.
const noteAge = 24 * time.Hour

// callNotes keeps notes of the calls in progress as files, so that a Hark that was killed goes on with them. A note opens
// the caller's session: it is sealed with a key that only this program derives, and bound to its call.
type callNotes struct {
	dir  string
	aead cipher.AEAD
}

var _ ivr.Memory = (*callNotes)(nil)

// openNotes makes the folder, and drops the notes of calls that are long over.
func openNotes(dir string, key []byte) (*callNotes, error) {
	aead, err := chacha20poly1305.NewX(key)
	if err != nil {
		return nil, fmt.Errorf("notes of calls: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("notes of calls: %w", err)
	}
	files, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("notes of calls: %w", err)
	}
	for _, f := range files {
		if info, err := f.Info(); err == nil && time.Since(info.ModTime()) > noteAge {
			_ = os.Remove(filepath.Join(dir, f.Name()))
		}
	}
	return &callNotes{dir, aead}, nil
}

// path is the file of a call; a call's id, which the switch chose, never is a name.
func (m *callNotes) path(call string) string {
	sum := sha256.Sum256([]byte(call))
	return filepath.Join(m.dir, hex.EncodeToString(sum[:16]))
}

// Keep implements ivr.Memory. It is not forced to the disk: it must survive the process, not the machine.
func (m *callNotes) Keep(call string, note []byte) error {
	nonce := make([]byte, m.aead.NonceSize())
	rand.Read(nonce)
	path := m.path(call)
	if err := os.WriteFile(path+".new", m.aead.Seal(nonce, nonce, note, []byte(call)), 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// Recall implements ivr.Memory. A note that was not sealed here is an error.
func (m *callNotes) Recall(call string) ([]byte, error) {
	sealed, err := os.ReadFile(m.path(call))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	size := m.aead.NonceSize()
	if len(sealed) < size {
		return nil, errors.New("the note of a call is cut off")
	}
	return m.aead.Open(nil, sealed[:size], sealed[size:], []byte(call))
}

// Forget implements ivr.Memory.
func (m *callNotes) Forget(call string) error {
	if err := os.Remove(m.path(call)); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}
