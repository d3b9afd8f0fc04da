package db

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"

	"github.com/pressly/goose/v3"
)

// The schema's history, forward only. A file that was once released is never changed; a newer one is added.
//
//go:embed migrations/*.sql
var migrations embed.FS

// Schema is the history of the schema, one file a step, in the order of their names.
func Schema() fs.FS {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		panic(err) // the folder is part of the program
	}
	return sub
}

// versions tells the schema's version in the database (0 for none) and in this program; ErrTooNew when the database is
// ahead.
func versions(ctx context.Context, p *goose.Provider, name string) (have, want int64, err error) {
	have, want, err = p.GetVersions(ctx)
	if err != nil {
		return 0, 0, fmt.Errorf("db: schema version of %s: %w", name, classify(err))
	}
	if have > want {
		return 0, 0, fmt.Errorf("%w: %s has schema %d, this hark knows up to %d; use the newer hark", ErrTooNew, name, have, want)
	}
	return have, want, nil
}

// apply runs the migrations that are missing, each in a transaction of its own.
func apply(ctx context.Context, p *goose.Provider, name string, log *slog.Logger) error {
	done, err := p.Up(ctx)
	if err != nil {
		return fmt.Errorf("db: bringing the schema of %s up to date: %w", name, classify(err))
	}
	log.Info("database schema brought up to date", "steps", len(done))
	return nil
}

// migrate brings the schema up to date, each step in a transaction of its own, after a copy of a database that holds
// something. An Admin needs the server's lock for it, so that it never changes the schema under a running server.
func (s *sqlite) migrate(ctx context.Context, schema fs.FS) error {
	p, err := goose.NewProvider(goose.DialectSQLite3, s.write1, schema, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return fmt.Errorf("db: migrations: %w", err)
	}
	have, want, err := versions(ctx, p, s.path)
	if err != nil || have == want {
		return err
	}
	if s.lock == nil {
		lock, err := takeLock(s.path + ".lock")
		if err != nil {
			return fmt.Errorf("db: %s needs schema %d and has %d, which only its server may change: %w", s.path, want, have, err)
		}
		defer lock.release()
	}
	if have > 0 {
		if err := s.copyTo(ctx, fmt.Sprintf("%s.schema%d", s.path, have)); err != nil {
			return err
		}
	}
	return apply(ctx, p, s.path, s.log)
}

// copyTo writes a consistent copy of the database; one that an earlier attempt left is replaced.
func (s *sqlite) copyTo(ctx context.Context, path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("db: copy before migrating: %w", err)
	}
	if err := prepareFile(path); err != nil {
		return err
	}
	if _, err := s.write1.ExecContext(ctx, `VACUUM INTO ?1`, path); err != nil {
		return fmt.Errorf("db: copy before migrating: %w", classify(err))
	}
	s.log.Info("database copied before migrating", "copy", path)
	return nil
}
