package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"text/tabwriter"

	"hark/accounts"
	"hark/db"
	"hark/sessions"
)

// stores is what administrators' commands work on, beside a running server.
type stores struct {
	config   config
	accounts *accounts.DB
	sessions *sessions.SQL
}

// withStores opens the database for a short command, and closes it afterwards.
func (p *program) withStores(ctx context.Context, do func(stores) error) (err error) {
	c, err := loadConfig(p.configPath)
	if err != nil {
		return err
	}
	log := p.logger(logConfig{Level: "warn", Format: "text"})
	database, err := db.Open(ctx, db.Options{Source: c.DB, Mode: db.Admin, Log: log})
	if errors.Is(err, os.ErrPermission) {
		return fmt.Errorf("%w; run hark as the user whose database it is, such as with \"runuser -u hark -- hark …\"", err)
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, database.Close()) }()
	keys, err := accounts.LoadKeys(c.Keys)
	if err != nil {
		return err
	}
	users, err := accounts.Open(ctx, database, keys, accounts.Options{Log: log})
	if err != nil {
		return err
	}
	store := sessions.Open(database, log)
	defer store.Close()
	return do(stores{c, users, store})
}

// printJSON prints one value for programs to read.
func (p *program) printJSON(value any) error {
	text, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(p.out, string(text))
	return err
}

// printTable prints aligned columns.
func (p *program) printTable(head string, rows []string) error {
	w := tabwriter.NewWriter(p.out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, head)
	for _, row := range rows {
		fmt.Fprintln(w, row)
	}
	return w.Flush()
}
