package main

import (
	"strings"
	"testing"

	"hark/accounts"
	"hark/db"
	"hark/sessions"
)

// TestAccountCaller: a caller id that an administrator gave a user is known on the telephone while the user's session goes on,
// and not when it was taken back.
func TestAccountCaller(t *testing.T) {
	p := audioPlace(t, "", nil)
	ana := p.addAccount("Ana")
	p.must("", "account", "caller", "add", ana.Number, "+4930123456")
	if listed := p.must("", "account", "caller", "list", ana.Number); !strings.Contains(listed, "+4930123456") {
		t.Errorf("listed is %q", listed)
	}
	program := &program{configPath: p.config}
	known := func() (name string, ok bool) {
		err := program.withStores(t.Context(), func(s stores) error {
			_, name, ok = callers{s.accounts, s.sessions}.Known(t.Context(), "+4930123456")
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return name, ok
	}
	if _, ok := known(); ok {
		t.Error("known without a session")
	}
	beginSession(t, p, ana.Number)
	if name, ok := known(); !ok || name != "Ana" {
		t.Errorf("known is %q, %v", name, ok)
	}
	p.must("", "account", "caller", "drop", ana.Number, "+4930123456")
	if _, ok := known(); ok {
		t.Error("known although it was taken back")
	}
}

// beginSession makes a session for a user, as a node does.
func beginSession(t *testing.T, p *place, user string) {
	t.Helper()
	c, err := loadConfig(p.config)
	if err != nil {
		t.Fatal(err)
	}
	database, err := db.Open(t.Context(), db.Options{Source: c.DB, Mode: db.Serve})
	if err != nil {
		t.Fatal(err)
	}
	defer database.Close()
	store := sessions.Open(database, nil)
	defer store.Close()
	inc, err := store.StartNode(t.Context(), "n", "hark://n", accounts.TicketLife)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.Claim(t.Context(), user, "s1", "n", inc); err != nil {
		t.Fatal(err)
	}
}
