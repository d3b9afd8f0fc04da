package accounts

import (
	"context"
	"errors"
	"path/filepath"
	"testing"

	"hark/db"
	"hark/db/dbtest"
	"hark/im"
)

// TestPostgres walks through everything that this package asks of a database, with two nodes on one.
func TestPostgres(t *testing.T) {
	ctx := context.Background()
	source := dbtest.Postgres(t).Fresh(t)
	a, b := node(t, source), node(t, source)

	u, pin, err := a.Add(ctx, NewUser{Name: "Ana"})
	must(t, err)
	users, err := b.List(ctx)
	if err != nil || len(users) != 1 || users[0] != u {
		t.Errorf("List gives %v, %v", users, err)
	}
	login := im.Account{User: u.Number, Network: "xmpp", ID: "ana@example.org", Password: "p"}
	for range 2 {
		must(t, a.SetLogin(ctx, login))
	}
	logins, err := b.Logins(ctx, u.Number)
	if err != nil || len(logins) != 1 || logins[0].Password != "p" {
		t.Errorf("%d logins, %v", len(logins), err)
	}
	for range 2 {
		must(t, a.BindCaller(ctx, u.Number, "+bound"))
	}
	must(t, b.SetPIN(ctx, u.Number, "480273"))
	tryOut(t, a, b, u.Number, pin)
	callThere(t, a, b, u.Number)
	must(t, b.UnbindCaller(ctx, u.Number, "+bound"))
	must(t, b.DropLogin(ctx, u.Number, "xmpp"))
	must(t, b.Delete(ctx, u.Number))
	_, err = a.Get(ctx, u.Number)
	wantErr(t, err, ErrNotFound)
}

// callThere gives the user a telephone: of two nodes one makes each call.
func callThere(t *testing.T, a, b *DB, user string) {
	t.Helper()
	ctx := context.Background()
	must(t, a.TestPhone(ctx, user, "201"))
	if ok, err := b.TakeTest(ctx, user); ok || err != nil {
		t.Errorf("it is called at once: %v, %v", ok, err)
	}
	fresh, err := b.ProvePhone(ctx, user, "201")
	if !fresh || err != nil {
		t.Errorf("proven: %v, %v", fresh, err)
	}
	must(t, b.SetPhone(ctx, user, Phone{Ring: true, Daily: 1}))
	for i, d := range []*DB{a, b} {
		if ok, err := d.TakeRing(ctx, user, 7); ok != (i == 0) || err != nil {
			t.Errorf("node %d: %v, %v", i, ok, err)
		}
	}
	_, err = b.TakeRing(ctx, user, 8)
	wantErr(t, err, ErrTooOften)
	if _, rings, err := a.PhonesToCall(ctx); len(rings) != 1 || err != nil {
		t.Errorf("to be called are %v, %v", rings, err)
	}
	must(t, b.BindPhone(ctx, user, "202"))
	must(t, a.DropPhone(ctx, user, ""))
}

// tryOut logs in at both nodes: they count failures together, and take a ticket once between them.
func tryOut(t *testing.T, a, b *DB, user, oldPIN string) {
	t.Helper()
	ctx := context.Background()
	try := func(d *DB, pin, caller string) (string, error) {
		return d.Authenticate(ctx, Credentials{User: user, PIN: pin, Caller: caller, Door: "phone"})
	}
	ticket, err := try(a, "480273", "+home")
	must(t, err)
	claims, err := b.Redeem(ctx, ticket, "b")
	if claims.User != user || err != nil {
		t.Errorf("claims are %+v, %v", claims, err)
	}
	_, err = a.Redeem(ctx, ticket, "a")
	wantErr(t, err, ErrRefused)
	ticket, err = a.Refer(ctx, Claims{User: user, Session: "s", Target: "c"})
	must(t, err)
	_, err = a.Redeem(ctx, ticket, "c")
	must(t, err)
	_, err = b.Redeem(ctx, ticket, "c") // as c does that has started again
	wantErr(t, err, ErrRefused)
	for _, d := range []*DB{a, b, a} {
		if _, err := try(d, oldPIN, "+stranger"); err != errWrong {
			t.Errorf("error is %v", err)
		}
	}
	var later *TryLater
	if _, err := try(b, "480273", "+stranger"); !errors.As(err, &later) {
		t.Errorf("the fourth try of strangers: %v", err)
	}
	for _, caller := range []string{"+home", "+bound"} {
		_, err = try(b, "480273", caller)
		must(t, err)
	}
}

// node opens the database once more, as another process would.
func node(t *testing.T, source string) *DB {
	t.Helper()
	database, err := db.Open(context.Background(), db.Options{Source: source})
	must(t, err)
	t.Cleanup(func() { database.Close() })
	keys, err := LoadKeys(filepath.Join(filepath.Dir(t.TempDir()), "shared.key"))
	must(t, err)
	d, err := Open(context.Background(), database, keys, Options{Cost: cheap})
	must(t, err)
	return d
}
