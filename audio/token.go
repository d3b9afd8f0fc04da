package audio

import (
	"bufio"
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// A link's token is 27 bytes, 36 characters of base64url:
//
//	key id (1) | day, counted from 1970 (2) | random (16) | HMAC-SHA256 over all of that, cut to 8 bytes
//
// The stored name is day/hash, where hash is of the token's first 19 bytes: whoever reads the disk cannot make the
// link. The name follows from the token alone, so an unknown, an expired and a revoked token cost one look-up each. The
// signature decides only whether "gone" may be said.
const (
	tokenBody = 1 + 2 + 16
	tokenMAC  = 8
	tokenText = 36 // characters
)

var (
	tokenCode = base64.RawURLEncoding.Strict()
	nameCode  = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)
)

// nameLen is the length of a stored name: 160 bits.
const nameLen = 32

const dayLayout = "2006-01-02"

// keyring holds the keys that sign links. The first one signs; all of them verify.
type keyring struct{ keys []linkKey }

type linkKey struct {
	id     byte
	secret []byte
}

// mint makes a new token for a day and the key of the object that it opens.
func (k *keyring) mint(day time.Time) (token, object string) {
	var b [tokenBody + tokenMAC]byte
	b[0] = k.keys[0].id
	binary.BigEndian.PutUint16(b[1:], uint16(day.Unix()/86400))
	_, _ = rand.Read(b[3:tokenBody]) // never fails
	copy(b[tokenBody:], mac(k.keys[0].secret, b[:tokenBody]))
	return tokenCode.EncodeToString(b[:]), objectKey(b[:tokenBody])
}

// parse returns the key of the object that the token would open and whether one of our keys signed it. ok is false when
// it does not even have the form of a token.
func (k *keyring) parse(token string) (object string, signed, ok bool) {
	if len(token) != tokenText {
		return "", false, false
	}
	b, err := tokenCode.DecodeString(token)
	if err != nil {
		return "", false, false
	}
	for _, key := range k.keys {
		if key.id == b[0] && hmac.Equal(mac(key.secret, b[:tokenBody]), b[tokenBody:]) {
			signed = true
		}
	}
	return objectKey(b[:tokenBody]), signed, true
}

func mac(secret, body []byte) []byte {
	h := hmac.New(sha256.New, secret)
	h.Write(body)
	return h.Sum(nil)[:tokenMAC]
}

func objectKey(body []byte) string {
	day := time.Unix(int64(binary.BigEndian.Uint16(body[1:]))*86400, 0).UTC()
	sum := sha256.Sum256(body)
	return day.Format(dayLayout) + "/" + nameCode.EncodeToString(sum[:20])
}

// A recording's ID is what operators and other parts of Hark call it: its object key with a dash for the slash. It
// opens nothing over HTTP.
func keyToID(key string) string { return strings.Replace(key, "/", "-", 1) }

func idToKey(id string) (string, bool) {
	if len(id) != len(dayLayout)+1+nameLen || id[len(dayLayout)] != '-' {
		return "", false
	}
	day, name := id[:len(dayLayout)], id[len(dayLayout)+1:]
	if _, err := time.Parse(dayLayout, day); err != nil || !validName(name) {
		return "", false
	}
	return day + "/" + name, true
}

func validName(s string) bool {
	_, err := nameCode.DecodeString(s)
	return err == nil && len(s) == nameLen
}

const keyFileHead = "# Keys that sign the links to recordings. The first one signs, the others keep old links valid.\n"

// loadKeys reads the key file, which holds a line "id base64" for each key, and makes it with one key, first or a random
// one, when there is none. It refuses a file that others may read.
func loadKeys(path string, first []byte) (*keyring, error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if b, err = makeKeyFile(path, first); err != nil {
			return nil, err
		}
	}
	if err != nil {
		return nil, fmt.Errorf("audio: the key file: %w", err)
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("audio: the key file: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("audio: the key file %s may be read by others (mode %o): chmod 600 it", path, info.Mode().Perm())
	}
	return parseKeys(b)
}

func parseKeys(b []byte) (*keyring, error) {
	var k keyring
	lines := bufio.NewScanner(bytes.NewReader(b))
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		id, text, _ := strings.Cut(line, " ")
		number, err := strconv.ParseUint(id, 10, 8)
		secret, err2 := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
		if err != nil || err2 != nil || len(secret) < 32 {
			return nil, fmt.Errorf("audio: line %d of the key file is not a number below 256 and a key of 32 bytes", n)
		}
		k.keys = append(k.keys, linkKey{byte(number), secret})
	}
	if len(k.keys) == 0 {
		return nil, errors.New("audio: the key file has no key")
	}
	return &k, nil
}

func makeKeyFile(path string, first []byte) ([]byte, error) {
	if first == nil {
		first = newSecret()
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return nil, err
	}
	b := []byte(keyFileHead + keyLine(1, first))
	err := placeKeyFile(path, b, os.Link) // Link, unlike Rename, does not replace what another process just made
	if errors.Is(err, fs.ErrExist) {
		return os.ReadFile(path)
	}
	return b, err
}

// RotateKeys puts a new signing key in front of the key file at path, making the file, with first (Config.FirstKey), if
// there is none. Links signed with the keys before it stay valid; stores that are open sign with the old key until they
// are opened again.
func RotateKeys(path string, first []byte) error {
	old, err := loadKeys(path, first)
	if err != nil {
		return err
	}
	if len(old.keys) > 250 {
		return errors.New("audio: the key file is full: remove keys whose links have expired")
	}
	next := old.keys[0].id
	for used := true; used; {
		next++
		used = false
		for _, k := range old.keys {
			used = used || k.id == next
		}
	}
	text := keyFileHead + keyLine(next, newSecret())
	for _, k := range old.keys {
		text += keyLine(k.id, k.secret)
	}
	return placeKeyFile(path, []byte(text), os.Rename)
}

func newSecret() []byte {
	secret := make([]byte, 32)
	_, _ = rand.Read(secret) // never fails
	return secret
}

func keyLine(id byte, secret []byte) string {
	return fmt.Sprintf("%d %s\n", id, base64.StdEncoding.EncodeToString(secret))
}

// placeKeyFile writes b beside path, durably, and moves it there with place.
func placeKeyFile(path string, b []byte, place func(from, to string) error) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".keys-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(b)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = place(f.Name(), path)
	}
	if err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
