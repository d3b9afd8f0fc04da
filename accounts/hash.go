package accounts

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"runtime"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/argon2"
)

// Cost is what Argon2id takes to hash a PIN. The zero Cost is 19 MiB and two passes, about 23 ms of one CPU.
type Cost struct {
	KiB    uint32
	Passes uint32
}

func (c Cost) withDefaults() Cost {
	if c == (Cost{}) {
		return Cost{KiB: 19 << 10, Passes: 2}
	}
	return c
}

// A hasher hashes PINs, only a few at a time, so that a storm of logins leaves the machine something for its calls.
type hasher struct {
	pepper []byte
	cost   Cost
	slots  chan struct{}
	took   atomic.Int64 // nanoseconds of the last hash
	hashed atomic.Int64 // how many were made, for tests
}

func newHasher(pepper []byte, cost Cost) *hasher {
	return &hasher{pepper: pepper, cost: cost.withDefaults(), slots: make(chan struct{}, max(1, runtime.GOMAXPROCS(0)-1))}
}

// A pinHash is what is kept of a PIN. Its text says with which parameters it was made, so that they may change.
type pinHash struct {
	cost      Cost
	salt, sum []byte
}

func (p pinHash) String() string {
	return fmt.Sprintf("argon2id m=%d t=%d %s %s", p.cost.KiB, p.cost.Passes, hex.EncodeToString(p.salt), hex.EncodeToString(p.sum))
}

func parsePINHash(text string) (p pinHash, err error) {
	_, err = fmt.Sscanf(text, "argon2id m=%d t=%d %x %x", &p.cost.KiB, &p.cost.Passes, &p.salt, &p.sum)
	if err != nil || len(p.sum) != 32 || p.cost.KiB == 0 || p.cost.Passes == 0 {
		return p, fmt.Errorf("accounts: a stored PIN is not readable (%w)", err)
	}
	return p, nil
}

// keep hashes a new PIN.
func (h *hasher) keep(ctx context.Context, pin string) (string, error) {
	p := pinHash{cost: h.cost, salt: make([]byte, 16)}
	rand.Read(p.salt)
	var err error
	p.sum, err = h.sum(ctx, pin, p)
	return p.String(), err
}

// verify tells whether pin is the one kept. For kept "" it takes as long, and says no.
func (h *hasher) verify(ctx context.Context, pin, kept string) (bool, error) {
	p := pinHash{cost: h.cost, salt: make([]byte, 16), sum: make([]byte, 32)}
	if kept != "" {
		var err error
		if p, err = parsePINHash(kept); err != nil {
			return false, err
		}
	}
	got, err := h.sum(ctx, pin, p)
	if err != nil {
		return false, err
	}
	return subtle.ConstantTimeCompare(got, p.sum) == 1 && kept != "", nil
}

// sum waits for a slot and hashes.
func (h *hasher) sum(ctx context.Context, pin string, p pinHash) ([]byte, error) {
	select {
	case h.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	defer func() { <-h.slots }()
	begun := time.Now()
	hash := argon2.IDKey(sum(h.pepper, pin), p.salt, p.cost.Passes, p.cost.KiB, 1, 32)
	h.took.Store(int64(time.Since(begun)))
	h.hashed.Add(1)
	return hash, nil
}

// pause takes as long as a hash, without its work: for refusals that must not be told from a wrong PIN.
func (h *hasher) pause(ctx context.Context) {
	timer := time.NewTimer(time.Duration(h.took.Load()))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
