package accounts

import (
	"bytes"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Keys are the secrets that are kept outside of the database: who has only the database can neither try PINs nor read
// passwords. All are derived from one master key.
type Keys struct {
	path   string
	master []byte
}

// keyHeader is the first line of a key file.
const keyHeader = "hark key 1\n"

// LoadKeys reads the key file, making it at the first start. It refuses a file that others may read. Nodes that share a
// database need copies of one file; without it no PIN works and no password can be read again.
func LoadKeys(path string) (*Keys, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err := makeKeyFile(path); err != nil {
			return nil, fmt.Errorf("accounts: making the key file: %w", err)
		}
		text, err = os.ReadFile(path)
	}
	if err != nil {
		return nil, fmt.Errorf("accounts: key file: %w", err)
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("accounts: key file: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("accounts: others may read the key file %s (mode %04o): chmod it to 0600", path, info.Mode().Perm())
	}
	master, err := parseKey(text)
	if err != nil {
		return nil, fmt.Errorf("accounts: key file %s: %w", path, err)
	}
	return &Keys{path: path, master: master}, nil
}

func parseKey(text []byte) ([]byte, error) {
	body, ok := bytes.CutPrefix(text, []byte(keyHeader))
	if !ok {
		return nil, errors.New("its first line is not the one of a key file")
	}
	master, err := base64.StdEncoding.DecodeString(string(bytes.TrimSpace(body)))
	if err != nil || len(master) != 32 {
		return nil, errors.New("it does not hold a key of 32 bytes")
	}
	return master, nil
}

// makeKeyFile writes a new key beside the path and links it there, so that of two processes that start together one
// makes the key and both read the same.
func makeKeyFile(path string) error {
	file, err := os.CreateTemp(filepath.Dir(path), ".hark-key-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(file.Name())
	defer file.Close()
	master := make([]byte, 32)
	rand.Read(master)
	if _, err := file.WriteString(keyHeader + base64.StdEncoding.EncodeToString(master) + "\n"); err != nil {
		return err
	}
	if err := file.Sync(); err != nil {
		return err
	}
	if err := os.Link(file.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncFolder(filepath.Dir(path))
}

// syncFolder makes a new name in the folder survive a power cut.
func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	defer folder.Close()
	return folder.Sync()
}

// Derive returns the key of 32 bytes for one purpose.
func (k *Keys) Derive(purpose string) []byte {
	key, err := hkdf.Key(sha256.New, k.master, nil, "hark "+purpose, 32)
	if err != nil {
		panic(err) // only for impossible lengths
	}
	return key
}

// check is what the database keeps to know its key file again.
func (k *Keys) check() string { return hex.EncodeToString(k.Derive("key check")[:16]) }

// sum is a keyed hash of the parts, which cannot be mistaken for other parts.
func sum(key []byte, parts ...string) []byte {
	mac := hmac.New(sha256.New, key)
	for _, part := range parts {
		fmt.Fprintf(mac, "%d:%s", len(part), part)
	}
	return mac.Sum(nil)
}
