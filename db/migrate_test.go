package db

import (
	"context"
	"os"
	"strings"
	"testing"
	"testing/fstest"
)

// newer is the schema of a later hark.
var newer = fstest.MapFS{
	"00001_things.sql": things["00001_things.sql"],
	"00002_colour.sql": file(`ALTER TABLE thing ADD COLUMN colour TEXT NOT NULL DEFAULT 'blue';`),
}

// older makes a database of the first schema with one row in it.
func older(t *testing.T) string {
	name := path(t)
	d := open(t, Options{Source: name})
	if err := put(d, 1); err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestMigrationKeepsACopy(t *testing.T) {
	name := older(t)
	if err := os.WriteFile(name+".schema1", []byte("left by an earlier attempt"), 0o644); err != nil {
		t.Fatal(err)
	}
	d := open(t, Options{Source: name, Schema: newer})
	var colour string
	if err := d.Row(context.Background(), `SELECT colour FROM thing WHERE n = 1`).Scan(&colour); err != nil || colour != "blue" {
		t.Errorf("colour is %q, %v", colour, err)
	}
	info, err := os.Stat(name + ".schema1")
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("copy: %v, %v", info, err)
	}
	if n := count(t, open(t, Options{Source: name + ".schema1"})); n != 1 {
		t.Errorf("the copy has %d rows", n)
	}
}

func TestFreshDatabaseNeedsNoCopy(t *testing.T) {
	name := path(t)
	open(t, Options{Source: name, Schema: newer})
	if _, err := os.Stat(name + ".schema0"); err == nil {
		t.Error("an empty database was copied")
	}
}

func TestNewerSchemaIsRefusedInWords(t *testing.T) {
	name := path(t)
	open(t, Options{Source: name, Schema: newer}).Close()
	words := openErr(t, Options{Source: name}, ErrTooNew)
	for _, want := range []string{name, "schema 2", "up to 1", "newer hark"} {
		if !strings.Contains(words, want) {
			t.Errorf("%q does not say %q", words, want)
		}
	}
	open(t, Options{Source: name, Schema: newer}) // the refused one left nothing locked
}

func TestAdminDoesNotMigrateUnderAServer(t *testing.T) {
	name := older(t)
	server := open(t, Options{Source: name})
	words := openErr(t, Options{Source: name, Mode: Admin, Schema: newer}, ErrInUse)
	if !strings.Contains(words, "schema 2") {
		t.Errorf("%q does not say why", words)
	}
	server.Close()
	admin := open(t, Options{Source: name, Mode: Admin, Schema: newer})
	open(t, Options{Source: name, Schema: newer}) // the Admin has given the lock back
	if count(t, admin) != 1 {
		t.Error("the row is gone")
	}
}

func TestFailedMigrationChangesNothing(t *testing.T) {
	name := older(t)
	broken := fstest.MapFS{
		"00001_things.sql": things["00001_things.sql"],
		"00002_broken.sql": file("DELETE FROM thing;\nALTER TABLE nothing ADD COLUMN colour TEXT;"),
	}
	if _, err := Open(context.Background(), Options{Source: name, Schema: broken}); err == nil || !strings.Contains(err.Error(), "up to date") {
		t.Fatalf("error is %v", err)
	}
	if n := count(t, open(t, Options{Source: name})); n != 1 {
		t.Errorf("%d rows are left", n)
	}
}

// TestHistory opens a database with the program's own migrations.
func TestHistory(t *testing.T) {
	d := open(t, Options{Source: path(t), Schema: Schema()})
	var tables int
	err := d.Row(context.Background(), `SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name IN ('node', 'session', 'message')`).Scan(&tables)
	if err != nil || tables != 3 {
		t.Errorf("%d tables, %v", tables, err)
	}
}

func TestNotADatabase(t *testing.T) {
	name := path(t)
	if err := os.WriteFile(name, []byte(strings.Repeat("this is no database\n", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(context.Background(), Options{Source: name}); err == nil {
		t.Error("it was opened")
	}
	if _, err := Open(context.Background(), Options{}); err == nil {
		t.Error("no name was opened")
	}
}
