package accounts

import (
	"crypto/rand"
	"crypto/subtle"
	"sync"
)

// A verifier makes the next login of a user who has logged in since the start cheap. It remembers, in memory only and
// under a key that dies with the process, which PIN fitted which kept hash; a PIN that was changed, by this process or
// another, has another hash and so is not remembered.
type verifier struct {
	key   []byte
	mu    sync.Mutex
	known map[string]proof // by user
}

type proof struct {
	kept string // the hash that the PIN fitted
	mac  []byte
}

func newVerifier() *verifier {
	key := make([]byte, 32)
	rand.Read(key)
	return &verifier{key: key, known: map[string]proof{}}
}

// fits tells whether this PIN is known to fit the kept hash. false says nothing.
func (v *verifier) fits(user, pin, kept string) bool {
	v.mu.Lock()
	p, ok := v.known[user]
	v.mu.Unlock()
	return subtle.ConstantTimeCompare(p.mac, sum(v.key, user, pin)) == 1 && ok && p.kept == kept
}

// remember notes that the PIN fits the kept hash.
func (v *verifier) remember(user, pin, kept string) {
	mac := sum(v.key, user, pin)
	v.mu.Lock()
	defer v.mu.Unlock()
	v.known[user] = proof{kept, mac}
}

// drop forgets a user.
func (v *verifier) drop(user string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	delete(v.known, user)
}
