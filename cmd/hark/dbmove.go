package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"hark/db"
)

func (p *program) dbCommand() *cobra.Command {
	command := &cobra.Command{Use: "db", Short: "Move the database"}
	command.AddCommand(&cobra.Command{
		Use:   "move POSTGRES-URL",
		Short: "Copy the SQLite database of the configuration into an empty PostgreSQL database, and compare every row",
		Long: `Copy the SQLite database of the configuration into an empty PostgreSQL database, and compare every row. "hark serve" must
not run meanwhile. The SQLite file stays as it is. Afterwards, put the URL into the configuration as db, keep the same key
file, and start hark.`,
		Example: `  hark db move postgres://hark@db.internal/hark`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := loadConfig(p.configPath)
			if err != nil {
				return err
			}
			return p.moveDB(cmd.Context(), c, args[0])
		},
	})
	return command
}

func (p *program) moveDB(ctx context.Context, c config, target string) (err error) {
	if c.shared() {
		return fmt.Errorf("the configuration's database is %s already", c.database())
	}
	if !strings.HasPrefix(target, "postgres://") && !strings.HasPrefix(target, "postgresql://") {
		return fmt.Errorf("the target is a URL like postgres://user@host/name")
	}
	log := p.logger(logConfig{Level: "warn", Format: "text"})
	from, err := db.Open(ctx, db.Options{Source: c.DB, Mode: db.Serve, Log: log})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	to, err := db.Open(ctx, db.Options{Source: target, Mode: db.Admin, Log: log})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, to.Close()) }()
	copied, err := db.Copy(ctx, from, to)
	if err != nil {
		return err
	}
	total := 0
	for _, t := range copied {
		fmt.Fprintf(p.out, "%-14s %8d rows, all equal\n", t.Table, t.Rows)
		total += t.Rows
	}
	fmt.Fprintf(p.out, "%d rows moved and compared. Now set db to the URL in the configuration.\n", total)
	return nil
}
