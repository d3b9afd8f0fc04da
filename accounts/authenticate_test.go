package accounts

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"hark/db"
	"hark/im"
)

func TestLockOutTable(t *testing.T) {
	r := newRig(t, cheap)
	user, pin := r.add(t)
	waits := []time.Duration{0, 0, time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour}
	for n := range lockedAt {
		wait := 24 * time.Hour
		if n < len(waits) {
			wait = waits[n]
		}
		if err := r.login(user, other(pin), ""); err != errWrong {
			t.Fatalf("failure %d: %v", n+1, err)
		}
		if n+1 == lockedAt {
			break
		}
		if wait > 0 {
			wantWait(t, r.login(user, pin, ""), wait)
			r.advance(wait - time.Millisecond)
			wantWait(t, r.login(user, pin, ""), time.Millisecond)
			r.advance(time.Millisecond)
		}
	}
	r.advance(365 * 24 * time.Hour)
	if err := r.login(user, pin, ""); err != errLocked {
		t.Errorf("after %d failures: %v", lockedAt, err)
	}
	if n := r.looked(user); n != lockedAt {
		t.Errorf("%d PINs were looked at", n)
	}
	u, err := r.Get(context.Background(), user)
	if err != nil || !u.Locked {
		t.Errorf("the account is %+v, %v", u, err)
	}
	pin, err = r.NewPIN(context.Background(), user)
	must(t, err)
	must(t, r.login(user, pin, ""))
}

func TestGoodLoginClearsFailures(t *testing.T) {
	r := newRig(t, cheap)
	user, pin := r.add(t)
	for range 5 {
		for range 2 {
			wantErr(t, r.login(user, other(pin), ""), ErrRefused)
		}
		must(t, r.login(user, pin, ""))
	}
}

// TestKnownCallerKeepsHisBucket: a caller who has logged in once, and one whom an administrator bound, are not locked
// out by strangers; a caller id alone opens nothing.
func TestKnownCallerKeepsHisBucket(t *testing.T) {
	r := newRig(t, cheap)
	user, pin := r.add(t)
	must(t, r.BindCaller(context.Background(), user, "+bound"))
	must(t, r.login(user, pin, "+home"))
	for n := range 3 {
		wantErr(t, r.login(user, other(pin), fmt.Sprint("+stranger", n)), ErrRefused)
	}
	wantWait(t, r.login(user, pin, "+stranger"), time.Minute)
	wantWait(t, r.login(user, pin, ""), time.Minute)
	for _, caller := range []string{"+home", "+bound"} {
		wantErr(t, r.login(user, other(pin), caller), ErrRefused)
		must(t, r.login(user, pin, caller))
	}
	_, err := r.Authenticate(context.Background(), Credentials{User: user, PIN: pin, Caller: "+bound", Door: "web"})
	wantWait(t, err, time.Minute) // bound is the telephone number, not whoever calls himself so elsewhere
	for range 3 {
		wantErr(t, r.login(user, other(pin), "+home"), ErrRefused)
	}
	wantWait(t, r.login(user, pin, "+home"), time.Minute) // his own failures count against him
	must(t, r.login(user, pin, "+bound"))
}

func TestKnownCallersAreBounded(t *testing.T) {
	r := newRig(t, cheap)
	user, pin := r.add(t)
	for n := range 3 * knownAtMost {
		must(t, r.login(user, pin, fmt.Sprint("+", n)))
		r.advance(time.Second)
	}
	var n int
	must(t, r.db.Row(context.Background(), `SELECT count(*) FROM known_caller`).Scan(&n))
	if n != knownAtMost {
		t.Errorf("%d callers are known", n)
	}
}

// TestOneBreathIsOneTry holds the first attempt inside the gate until all others wait at it.
func TestOneBreathIsOneTry(t *testing.T) {
	r := newRig(t, cheap)
	user, pin := r.add(t)
	inside := make(chan bool)
	look := r.evaluated
	r.evaluated = func(user string) {
		look(user)
		<-inside
	}
	var wg sync.WaitGroup
	for i := range 30 {
		wg.Go(func() { wantErr(t, r.login(user, fmt.Sprint("wrong", i), ""), ErrRefused) })
	}
	waitAtGate(t, r.gates, user, 30)
	close(inside)
	wg.Wait()
	if n := r.looked(user); n != 1 {
		t.Errorf("%d PINs of one breath were looked at", n)
	}
	if len(r.gates.open) != 0 {
		t.Error("the gate is still there")
	}
	must(t, r.login(user, pin, ""))
}

// waitAtGate waits until n attempts are at the account's gate.
func waitAtGate(t *testing.T, g *gates, user string, n int) {
	t.Helper()
	waiting := func() int {
		g.mu.Lock()
		defer g.mu.Unlock()
		if at := g.open[user+"\x00"]; at != nil {
			return at.waiting
		}
		return 0
	}
	for deadline := time.Now().Add(10 * time.Second); waiting() < n; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d of %d are at the gate", waiting(), n)
		}
	}
}

// breath tries 30 PINs at once.
func breath(r *rig, user string, pin func(int) string) []error {
	errs := make([]error, 30)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() { errs[i] = r.login(user, pin(i), fmt.Sprint("+", i)) })
	}
	wg.Wait()
	return errs
}

// TestManyLoginsAtOnce: one user who calls from 30 telephones at once gets in from all of them.
func TestManyLoginsAtOnce(t *testing.T) {
	r := newRig(t, cheap)
	user, pin := r.add(t)
	for i, err := range breath(r, user, func(int) string { return pin }) {
		if err != nil {
			t.Errorf("login %d: %v", i, err)
		}
	}
}

// TestUnknownUsersBehaveAlike: a number that nobody has is refused in the same words, after the same waits and the same
// number of hashes (threat T3).
func TestUnknownUsersBehaveAlike(t *testing.T) {
	r := newRig(t, cheap)
	user, _ := r.add(t)
	for range 30 {
		before := r.hasher.hashed.Load()
		errKnown := r.login(user, "wrong", "+x")
		between := r.hasher.hashed.Load()
		errUnknown := r.login("7654321", "wrong", "+x")
		after := r.hasher.hashed.Load()
		if errKnown.Error() != errUnknown.Error() {
			t.Fatalf("known: %v, unknown: %v", errKnown, errUnknown)
		}
		if between-before != after-between {
			t.Fatalf("known: %d hashes, unknown: %d", between-before, after-between)
		}
		r.advance(13 * time.Hour)
	}
	for _, user := range []string{"", "1", "12345678", "abcdefg", strings.Repeat("9", 1000)} {
		wantErr(t, r.login(user, "wrong", ""), ErrRefused)
	}
}

// TestRefusalTakesAsLong: where no PIN is looked at, the answer comes no sooner.
func TestRefusalTakesAsLong(t *testing.T) {
	r := newRig(t, cheap)
	user, pin := r.add(t)
	r.hasher.took.Store(int64(30 * time.Millisecond))
	for range 3 {
		wantErr(t, r.login(user, other(pin), ""), ErrRefused)
	}
	r.hasher.took.Store(int64(30 * time.Millisecond))
	begun := time.Now()
	wantWait(t, r.login(user, pin, ""), time.Minute)
	if took := time.Since(begun); took < 30*time.Millisecond {
		t.Errorf("it took %s", took)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	r.hasher.took.Store(int64(time.Hour))
	r.hasher.pause(ctx) // who hangs up is not waited for
}

func TestSecondLoginIsCheap(t *testing.T) {
	r := newRig(t, cheap)
	user, pin := r.add(t)
	must(t, r.login(user, pin, "+home"))
	before := r.hasher.hashed.Load()
	for range 10 {
		must(t, r.login(user, pin, "+home"))
	}
	if n := r.hasher.hashed.Load() - before; n != 0 {
		t.Errorf("ten logins cost %d hashes", n)
	}
	wantErr(t, r.login(user, other(pin), "+home"), ErrRefused)
	if n := r.hasher.hashed.Load() - before; n != 1 {
		t.Errorf("a wrong PIN cost %d hashes", n)
	}
	must(t, r.SetPIN(context.Background(), user, "480273"))
	if len(r.verifier.known) != 0 {
		t.Error("the old PIN is remembered")
	}
}

// TestPINChangedElsewhere: another process gives a new PIN; the one remembered here is worth nothing.
func TestPINChangedElsewhere(t *testing.T) {
	ctx := context.Background()
	r := newRig(t, cheap)
	user, pin := r.add(t)
	must(t, r.login(user, pin, "+home"))
	keys, err := LoadKeys(filepath.Join(r.folder, "hark.key"))
	must(t, err)
	elsewhere, err := Open(ctx, r.db, keys, Options{Cost: cheap})
	must(t, err)
	next, err := elsewhere.NewPIN(ctx, user)
	must(t, err)
	wantErr(t, r.login(user, pin, "+home"), ErrRefused)
	must(t, r.login(user, next, "+home"))
}

func TestLockedAccountForgetsTheVerifier(t *testing.T) {
	r := newRig(t, cheap)
	user, pin := r.add(t)
	must(t, r.login(user, pin, ""))
	for range lockedAt {
		wantErr(t, r.login(user, other(pin), ""), ErrRefused)
		r.advance(24 * time.Hour)
	}
	if len(r.verifier.known) != 0 {
		t.Error("the PIN is remembered")
	}
}

// TestSlowMode: strangers who fail too often at many accounts are slowed down, known callers are not.
func TestSlowMode(t *testing.T) {
	r := newRig(t, cheap)
	r.pause = func(context.Context) {}
	user, pin := r.add(t)
	must(t, r.login(user, pin, "+home"))
	for n := range slowFrom {
		if err := r.login(fmt.Sprint(2000000+n), "wrong", ""); err != errWrong {
			t.Fatalf("failure %d: %v", n, err)
		}
		r.advance(time.Second)
	}
	r.advance(slowStep)
	wantErr(t, r.login("3000000", "wrong", ""), errWrong)
	wantWait(t, r.login("3000001", "wrong", ""), slowStep)
	wantWait(t, r.login(user, pin, "+stranger"), slowStep)
	must(t, r.login(user, pin, "+home"))
	r.advance(slowStep)
	must(t, r.login(user, pin, ""))
	r.advance(time.Hour)
	for n := range 5 {
		wantErr(t, r.login(fmt.Sprint(4000000+n), "wrong", ""), errWrong)
	}
	r.advance(forgetAfter + time.Hour)
	wantErr(t, r.login("5000000", "wrong", ""), errWrong)
	var rows int
	must(t, r.db.Row(context.Background(), `SELECT (SELECT count(*) FROM attempt) + (SELECT count(*) FROM guess)`).Scan(&rows))
	if rows > 5 {
		t.Errorf("%d rows of old tries are left", rows)
	}
}

// TestGuessing is threat T1: 100,000 guesses over 30 days, from ever other callers, at ten accounts.
func TestGuessing(t *testing.T) {
	const guesses, days, accounts = 100_000, 30, 10
	r := newRig(t, cheap)
	r.pause = func(context.Context) {}
	r.DB.log = slog.New(slog.DiscardHandler) // 100,000 lines are not wanted
	var users, pins [accounts]string
	for i := range users {
		users[i], pins[i] = r.add(t)
		must(t, r.login(users[i], pins[i], "+home"))
		r.looked(users[i])
	}
	owner := int64(0)
	for n := range guesses {
		i := n % accounts
		if err := r.login(users[i], other(pins[i]), fmt.Sprint("+", n)); !errors.Is(err, ErrRefused) {
			t.Fatalf("guess %d: %v", n, err)
		}
		r.advance(days * 24 * time.Hour / guesses)
		if n%(guesses/days) != 0 {
			continue
		}
		for i := range users { // once a day the owner calls
			must(t, r.login(users[i], pins[i], "+home"))
			owner++
		}
	}
	for _, user := range users {
		if n := r.looked(user) - owner/accounts; n == 0 || n > 20 { // the number that is promised
			t.Errorf("%d guesses at an account were looked at", n)
		}
	}
}

// TestSecretsAreNowhere is threat T20: planted secrets are in no file beside the key, and in no log.
func TestSecretsAreNowhere(t *testing.T) {
	ctx := context.Background()
	r := newRig(t, cheap)
	user, pin := r.add(t)
	const chosen, password, token, caller = "480273", "correct horse battery", "sesame-token", "+15558765309"
	must(t, r.SetLogin(ctx, im.Account{User: user, Network: "xmpp", ID: "ana@example.org", Password: password, Options: map[string]string{"t": token}}))
	ticket, err := r.Authenticate(ctx, Credentials{User: user, PIN: pin, Door: "phone", Caller: caller})
	must(t, err)
	_, err = r.Redeem(ctx, ticket, "ps1")
	must(t, err)
	_, err = r.Redeem(ctx, ticket, "ps1")
	wantErr(t, err, ErrRefused)
	must(t, r.SetPIN(ctx, user, chosen))
	must(t, r.login(user, chosen, caller))
	const keyed = "9182736" // a PIN keyed in place of the number
	wantErr(t, r.login(keyed, "665544332211", caller), ErrRefused)
	wantErr(t, r.login(user, "665544332211", caller), ErrRefused)
	must(t, r.db.Write(ctx, func(tx *db.Tx) error { // as long as the log has not been copied, both files are looked at
		_, err := tx.Exec(`UPDATE account SET name = 'Ana B.'`)
		return err
	}))
	texts := map[string]string{"the log": r.log.String()}
	for _, suffix := range []string{"", "-wal"} {
		text, err := os.ReadFile(filepath.Join(r.folder, "hark.db"+suffix))
		must(t, err)
		texts["hark.db"+suffix] = string(text)
	}
	if !strings.Contains(texts["hark.db"]+texts["hark.db-wal"], "ana@example.org") || !strings.Contains(texts["the log"], "login refused") {
		t.Fatal("not even what should be there is found")
	}
	for where, text := range texts {
		for what, secret := range map[string]string{"the PIN": pin, "the chosen PIN": chosen, "the password": password, "an option": token,
			"the ticket": ticket, "a wrong PIN": "665544332211", "the caller": caller} {
			if strings.Contains(text, secret) {
				t.Errorf("%s stands in %s", what, where)
			}
		}
	}
	if strings.Contains(texts["the log"], keyed) {
		t.Error("what was keyed as a number stands in the log")
	}
}
