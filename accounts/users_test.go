package accounts

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hark/db"
	"hark/im"
)

func TestAdd(t *testing.T) {
	ctx := context.Background()
	r := newRig(t, cheap)
	u, pin, err := r.Add(ctx, NewUser{Name: "Ana", Language: "de"})
	must(t, err)
	if len(u.Number) != 7 || u.Number[0] == '0' || strings.Trim(u.Number+pin, "0123456789") != "" || len(pin) != 6 {
		t.Errorf("number %q, PIN %q", u.Number, pin)
	}
	if want := (User{Number: u.Number, Name: "Ana", Language: "de", Made: r.now().UTC()}); u != want {
		t.Errorf("user is %+v, want %+v", u, want)
	}
	got, err := r.Get(ctx, u.Number)
	if err != nil || got != u {
		t.Errorf("Get gives %+v, %v", got, err)
	}
	v, again, err := r.Add(ctx, NewUser{Name: "Ben"})
	must(t, err)
	if v.Number == u.Number || v.Language != "en" || again == pin {
		t.Errorf("the second user is %+v, PIN %q", v, again)
	}
	must(t, r.SetLanguage(ctx, v.Number, "de"))
	if v, err := r.Get(ctx, v.Number); v.Language != "de" || err != nil {
		t.Errorf("the language is %q, %v", v.Language, err)
	}
	users, err := r.List(ctx)
	if err != nil || len(users) != 2 {
		t.Errorf("List gives %v, %v", users, err)
	}
	name, err := r.Name(ctx, u.Number)
	if name != "Ana" || err != nil {
		t.Errorf("Name gives %q, %v", name, err)
	}
}

func TestUnknownUser(t *testing.T) {
	ctx := context.Background()
	r := newRig(t, cheap)
	_, err := r.Get(ctx, "1234567")
	wantErr(t, err, ErrNotFound)
	if name, err := r.Name(ctx, "1234567"); name != "" || err != nil {
		t.Errorf("Name gives %q, %v", name, err)
	}
	_, err = r.NewPIN(ctx, "1234567")
	wantErr(t, err, ErrNotFound)
	wantErr(t, r.SetPIN(ctx, "1234567", "480273"), ErrNotFound)
	wantErr(t, r.SetLanguage(ctx, "1234567", "de"), ErrNotFound)
	wantErr(t, r.Delete(ctx, "1234567"), ErrNotFound)
	wantErr(t, r.SetLogin(ctx, im.Account{User: "1234567", Network: "xmpp"}), ErrNotFound)
	wantErr(t, r.DropLogin(ctx, "1234567", "xmpp"), ErrNotFound)
	wantErr(t, r.BindCaller(ctx, "1234567", "+1555"), ErrNotFound)
	wantErr(t, r.UnbindCaller(ctx, "1234567", "+1555"), ErrNotFound)
}

func TestManyUsersNeedLongerPINs(t *testing.T) {
	ctx := context.Background()
	r := newRig(t, cheap)
	must(t, r.db.Write(ctx, func(tx *db.Tx) error {
		for n := range manyUsers - 1 {
			if _, err := tx.Exec(`INSERT INTO account (usr, name, language, pin, made) VALUES ($1, '', '', '', 0)`, fmt.Sprint("u", n)); err != nil {
				return err
			}
		}
		return nil
	}))
	user, pin := r.add(t)
	wantDigits := func(want int) {
		t.Helper()
		if got, err := r.PINDigits(ctx); got != want || err != nil {
			t.Errorf("PINs have %d digits (%v), want %d", got, err, want)
		}
	}
	wantDigits(6)
	if len(pin) != 6 {
		t.Errorf("user number 1,000 got PIN of %d digits", len(pin))
	}
	if _, pin := r.add(t); len(pin) != 8 {
		t.Errorf("user number 1,001 got a PIN of %d digits", len(pin))
	}
	wantDigits(-1)
	wantErr(t, r.SetPIN(ctx, user, "480273"), ErrBadPIN)
	must(t, r.SetPIN(ctx, user, "48027359"))
	must(t, r.db.Write(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(`DELETE FROM account WHERE usr LIKE 'u%'`)
		return err
	}))
	wantDigits(8)
	must(t, r.login(user, "48027359", ""))
}

func TestChangedPIN(t *testing.T) {
	ctx := context.Background()
	r := newRig(t, cheap)
	user, pin := r.add(t)
	must(t, r.login(user, pin, ""))
	must(t, r.SetPIN(ctx, user, "480273"))
	wantErr(t, r.login(user, pin, ""), ErrRefused)
	must(t, r.login(user, "480273", ""))
	next, err := r.NewPIN(ctx, user)
	must(t, err)
	wantErr(t, r.login(user, "480273", ""), ErrRefused)
	must(t, r.login(user, next, ""))
	wantErr(t, r.SetPIN(ctx, user, "111111"), ErrBadPIN)
	must(t, r.login(user, next, ""))
}

func TestSetName(t *testing.T) {
	ctx := context.Background()
	r := newRig(t, cheap)
	user, _ := r.add(t)
	must(t, r.SetName(ctx, user, "  Ana María  "))
	if name, err := r.Name(ctx, user); name != "Ana María" || err != nil {
		t.Errorf("called %q, %v", name, err)
	}
	for _, name := range []string{"", " \t", "a\nb", "\xff", strings.Repeat("ä", maxName+1)} {
		wantErr(t, r.SetName(ctx, user, name), ErrBadName)
		_, _, err := r.Add(ctx, NewUser{Name: name})
		wantErr(t, err, ErrBadName)
	}
	must(t, r.SetName(ctx, user, strings.Repeat("ä", maxName)))
	wantErr(t, r.SetName(ctx, "9999999", "Ana"), ErrNotFound)
}

func TestDeleteLeavesNothing(t *testing.T) {
	ctx := context.Background()
	r := newRig(t, cheap)
	user, pin := r.add(t)
	stays, _ := r.add(t)
	for _, u := range []string{user, stays} {
		must(t, r.SetLogin(ctx, im.Account{User: u, Network: "xmpp", ID: "ana@example.org", Password: "p"}))
		must(t, r.BindCaller(ctx, u, "+15551234"))
	}
	must(t, r.login(user, pin, "+15559999"))
	wantErr(t, r.login(user, other(pin), "+15550000"), ErrRefused)
	must(t, r.Delete(ctx, user))
	for _, table := range []string{"account", "login", "caller", "known_caller", "attempt"} {
		var n int
		must(t, r.db.Row(ctx, `SELECT count(*) FROM `+table+` WHERE usr = $1`, user).Scan(&n))
		if n != 0 {
			t.Errorf("%d rows are left in %s", n, table)
		}
	}
	wantErr(t, r.login(user, pin, ""), ErrRefused)
	if logins, err := r.Logins(ctx, stays); len(logins) != 1 || err != nil {
		t.Errorf("the other user's logins: %d, %v", len(logins), err)
	}
}

func TestLogins(t *testing.T) {
	ctx := context.Background()
	r := newRig(t, cheap)
	user, _ := r.add(t)
	xmpp := im.Account{User: user, Network: "xmpp", ID: "ana@example.org", Password: "pässword", Server: "127.0.0.1:5222",
		Options: map[string]string{"resource": "hark"}}
	irc := im.Account{User: user, Network: "irc", ID: "ana", Password: ""}
	old := xmpp
	old.Password = "old"
	for _, a := range []im.Account{old, xmpp, irc} {
		must(t, r.SetLogin(ctx, a))
	}
	got, err := r.Logins(ctx, user)
	must(t, err)
	if diff := cmp.Diff([]im.Account{irc, xmpp}, got); diff != "" {
		t.Error(diff)
	}
	must(t, r.DropLogin(ctx, user, "irc"))
	wantErr(t, r.DropLogin(ctx, user, "irc"), ErrNotFound)
	got, err = r.Logins(ctx, user)
	if err != nil || len(got) != 1 {
		t.Errorf("after the drop: %d logins, %v", len(got), err)
	}
}

// TestSealedLoginIsBound moves a sealed password to where it does not belong.
func TestSealedLoginIsBound(t *testing.T) {
	ctx := context.Background()
	moves := map[string]string{
		"another account": `UPDATE login SET usr = (SELECT max(usr) FROM account WHERE usr <> $1) WHERE usr = $1`,
		"another network": `UPDATE login SET network = 'irc' WHERE usr = $1`,
		"a changed byte":  `UPDATE login SET secret = secret || secret WHERE usr = $1`,
		"cut short":       `UPDATE login SET secret = zeroblob(3) WHERE usr = $1`,
	}
	for name, move := range moves {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, cheap)
			user, _ := r.add(t)
			thief, _ := r.add(t)
			must(t, r.SetLogin(ctx, im.Account{User: user, Network: "xmpp", Password: "p"}))
			must(t, r.db.Write(ctx, func(tx *db.Tx) error { _, err := tx.Exec(move, user); return err }))
			a, errA := r.Logins(ctx, user)
			b, errB := r.Logins(ctx, thief)
			if errA == nil && errB == nil || len(a)+len(b) > 0 {
				t.Errorf("it opened: %v, %v", errA, errB)
			}
		})
	}
}

func TestCallers(t *testing.T) {
	ctx := context.Background()
	r := newRig(t, cheap)
	ana, _ := r.add(t)
	ben, _ := r.add(t)
	must(t, r.BindCaller(ctx, ana, " +15551234 "))
	must(t, r.BindCaller(ctx, ana, "+15551234"))
	must(t, r.BindCaller(ctx, ben, "+15551234"))
	must(t, r.BindCaller(ctx, ana, "+15550000"))
	callers, err := r.Callers(ctx, ana)
	if fmt.Sprint(callers) != "[+15550000 +15551234]" || err != nil {
		t.Errorf("callers: %v, %v", callers, err)
	}
	users, err := r.UsersOfCaller(ctx, "+15551234")
	if len(users) != 2 || err != nil {
		t.Errorf("users: %v, %v", users, err)
	}
	must(t, r.UnbindCaller(ctx, ana, "+15551234"))
	wantErr(t, r.UnbindCaller(ctx, ana, "+15551234"), ErrNotFound)
	users, err = r.UsersOfCaller(ctx, "+15551234")
	if len(users) != 1 || users[0] != ben || err != nil {
		t.Errorf("users: %v, %v", users, err)
	}
}
