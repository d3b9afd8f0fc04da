package main

import (
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"golang.org/x/crypto/chacha20poly1305"

	"hark/ivr"
)

// noteAge is how long the note of a call that nobody ended is kept.
const noteAge = 24 * time.Hour

// callNotes keeps notes of the calls in progress in one file, so that a Hark that was killed goes on with them. A note
// opens the caller's session: it is sealed with a key that only this program derives, and bound to its call. Each note
// has a page of the file and is written by one write within it, which a kill does not tear; pages are used again, since
// making and removing a file for each call costs more than all the rest. Any goroutine may use it.
type callNotes struct {
	file *os.File
	aead cipher.AEAD

	mu    sync.Mutex
	pages map[callHash]int64 // where the note of a call is
	free  []int64
	end   int64 // the next page that the file does not have yet
}

// A callHash stands for a call's id, which the switch chose.
type callHash [16]byte

// A page begins with the hash of the call, the time in Unix seconds, and the length of the sealed note that follows; the
// length of a free page is 0.
const (
	pageSize = 4096
	pageHead = 16 + 8 + 2
)

var _ ivr.Memory = (*callNotes)(nil)

// openNotes opens the file in a folder, makes it if there is none, and drops the notes of calls that are long over. Only
// one process may have it open. The caller closes it.
func openNotes(dir string, key []byte) (*callNotes, error) {
	aead, err := chacha20poly1305.NewX(key)
	if err != nil {
		return nil, fmt.Errorf("notes of calls: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("notes of calls: %w", err)
	}
	file, err := os.OpenFile(filepath.Join(dir, "notes"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("notes of calls: %w", err)
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("another Hark uses %s: each node needs a folder of its own, the key data names it (%w)", dir, err), file.Close())
	}
	m := &callNotes{file: file, aead: aead, pages: map[callHash]int64{}}
	if err := m.load(); err != nil {
		return nil, errors.Join(fmt.Errorf("notes of calls: %w", err), file.Close())
	}
	return m, nil
}

// load finds out which pages are free.
func (m *callNotes) load() error {
	for ; ; m.end += pageSize {
		var head [pageHead]byte
		n, err := m.file.ReadAt(head[:], m.end)
		switch {
		case n == 0 && err == io.EOF:
			return nil
		case err != nil && err != io.EOF:
			return err
		}
		made := time.Unix(int64(binary.BigEndian.Uint64(head[16:])), 0)
		if binary.BigEndian.Uint16(head[24:]) == 0 || time.Since(made) > noteAge {
			m.free = append(m.free, m.end)
		} else {
			m.pages[callHash(head[:16])] = m.end
		}
	}
}

// Close closes the file; the notes stay.
func (m *callNotes) Close() error { return m.file.Close() }

func hashOf(call string) callHash {
	sum := sha256.Sum256([]byte(call))
	return callHash(sum[:])
}

// Keep implements ivr.Memory. It is not forced to the disk: it must survive the process, not the machine.
func (m *callNotes) Keep(call string, note []byte) error {
	nonce := make([]byte, m.aead.NonceSize())
	rand.Read(nonce)
	sealed := m.aead.Seal(nonce, nonce, note, []byte(call))
	if len(sealed) > pageSize-pageHead {
		return errors.New("the note of a call is too long")
	}
	hash := hashOf(call)
	text := binary.BigEndian.AppendUint64(hash[:], uint64(time.Now().Unix()))
	text = binary.BigEndian.AppendUint16(text, uint16(len(sealed)))
	_, err := m.file.WriteAt(append(text, sealed...), m.page(hash))
	return err
}

// page is the page of a call, which has one from now on.
func (m *callNotes) page(hash callHash) int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	page, has := m.pages[hash]
	switch n := len(m.free); {
	case has:
		return page
	case n > 0:
		page, m.free = m.free[n-1], m.free[:n-1]
	default:
		page = m.end
		m.end += pageSize
	}
	m.pages[hash] = page
	return page
}

// Recall implements ivr.Memory. A note that was not sealed here is an error.
func (m *callNotes) Recall(call string) ([]byte, error) {
	m.mu.Lock()
	page, has := m.pages[hashOf(call)]
	m.mu.Unlock()
	if !has {
		return nil, nil
	}
	text := make([]byte, pageSize)
	n, err := m.file.ReadAt(text, page)
	if err != nil && err != io.EOF {
		return nil, err
	}
	size := m.aead.NonceSize()
	if n < pageHead+size {
		return nil, errors.New("the note of a call is cut off")
	}
	length := int(binary.BigEndian.Uint16(text[24:]))
	sealed := text[pageHead:n]
	sealed = sealed[:min(max(length, size), len(sealed))]
	return m.aead.Open(nil, sealed[:size], sealed[size:], []byte(call))
}

// Forget implements ivr.Memory.
func (m *callNotes) Forget(call string) error {
	hash := hashOf(call)
	m.mu.Lock()
	defer m.mu.Unlock()
	page, has := m.pages[hash]
	if !has {
		return nil
	}
	if _, err := m.file.WriteAt(make([]byte, pageHead), page); err != nil {
		return err
	}
	delete(m.pages, hash)
	m.free = append(m.free, page)
	return nil
}
