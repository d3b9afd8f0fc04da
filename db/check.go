package db

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/jackc/pgx/v5"
)

// sqliteHeader is what every SQLite file begins with that is not empty (https://www.sqlite.org/fileformat.html, 1.3).
const sqliteHeader = "SQLite format 3\x00"

// Check tells why the database could not be opened, as far as that is seen without making or changing anything. A SQLite
// file that is not there is well: Open makes it. Errors: ErrTemporary.
func Check(ctx context.Context, source string) error {
	if !isPostgres(source) {
		return checkFile(source)
	}
	config, err := postgresConfig(source)
	if err != nil {
		return err
	}
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return fmt.Errorf("db: connecting to %s: %w", config.Database, classify(err))
	}
	return conn.Close(ctx)
}

func checkFile(path string) error {
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("db: %w", err)
	}
	defer file.Close()
	head := make([]byte, len(sqliteHeader))
	if _, err := io.ReadFull(file, head); err == io.EOF { // a new one
		return nil
	} else if err != nil || string(head) != sqliteHeader {
		return fmt.Errorf("db: %s is no SQLite database", path)
	}
	return nil
}
