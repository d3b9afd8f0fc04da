package db

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// ErrNotEmpty: something stands in the database that a copy is to be made into.
var ErrNotEmpty = errors.New("db: the target database is not empty")

// A Copied table tells how many rows were copied and found equal.
type Copied struct {
	Table string
	Rows  int
}

// A table of the schema as SQLite describes it.
type table struct {
	name    string
	columns []column
}

type column struct {
	name, kind string
	key        int // place in the primary key, from 1; 0 for none
}

// copyBatch is how many rows one transaction copies.
const copyBatch = 500

// Copy copies everything from a SQLite database into an empty PostgreSQL database of the same schema, and then compares
// every row. After an error from the copying the target is emptied again. Errors: ErrNotEmpty, ErrTemporary; others name
// the row.
//
// Nobody may write to either meanwhile: open the source with Serve, which keeps others out.
func Copy(ctx context.Context, from, to *DB) ([]Copied, error) {
	tables, err := tablesOf(ctx, from)
	if err != nil {
		return nil, err
	}
	for _, t := range tables {
		if err := t.mustBeEmpty(ctx, to); err != nil {
			return nil, err
		}
	}
	for _, t := range tables {
		if err := t.copy(ctx, from, to); err != nil {
			return nil, errors.Join(err, empty(context.WithoutCancel(ctx), to, tables))
		}
	}
	var done []Copied
	for _, t := range tables {
		rows, err := t.compare(ctx, from, to)
		if err != nil {
			return done, err
		}
		done = append(done, Copied{t.name, rows})
	}
	return done, nil
}

// empty removes all rows again.
func empty(ctx context.Context, to *DB, tables []table) error {
	return to.Write(ctx, func(tx *Tx) error {
		for _, t := range tables {
			if _, err := tx.Exec(`TRUNCATE ` + t.name); err != nil {
				return err
			}
		}
		return nil
	})
}

// tablesOf reads the schema of a SQLite database; the list of migrations is not data.
func tablesOf(ctx context.Context, d *DB) (tables []table, err error) {
	err = d.Each(ctx, `
		SELECT m.name, c.name, c.type, c.pk FROM sqlite_master m, pragma_table_info(m.name) c
		WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' AND m.name NOT LIKE 'goose_%' ORDER BY m.name, c.cid`,
		nil, func(row Scanner) error {
			var name string
			var c column
			if err := row.Scan(&name, &c.name, &c.kind, &c.key); err != nil {
				return err
			}
			if len(tables) == 0 || tables[len(tables)-1].name != name {
				tables = append(tables, table{name: name})
			}
			last := &tables[len(tables)-1]
			last.columns = append(last.columns, c)
			return nil
		})
	return tables, err
}

// names lists the columns as SQL does.
func (t table) names() string {
	var list []string
	for _, c := range t.columns {
		list = append(list, c.name)
	}
	return strings.Join(list, ", ")
}

// row makes the variables that a row is read into, and what to call to have their values.
func (t table) row() (into []any, values func() []any) {
	for _, c := range t.columns {
		switch c.kind {
		case "TEXT":
			into = append(into, new(string))
		case "BIGINT":
			into = append(into, new(int64))
		case "BOOLEAN":
			into = append(into, new(bool))
		default:
			into = append(into, new([]byte))
		}
	}
	return into, func() (list []any) {
		for _, p := range into {
			list = append(list, reflect.ValueOf(p).Elem().Interface())
		}
		return list
	}
}

// each reads all rows.
func (t table) each(ctx context.Context, d *DB, do func(values []any) error) error {
	into, values := t.row()
	return d.Each(ctx, `SELECT `+t.names()+` FROM `+t.name, nil, func(row Scanner) error {
		if err := row.Scan(into...); err != nil {
			return err
		}
		return do(values())
	})
}

// mustBeEmpty refuses a table with rows in it.
func (t table) mustBeEmpty(ctx context.Context, d *DB) error {
	n, err := t.count(ctx, d)
	if err == nil && n > 0 {
		err = fmt.Errorf("%w: %d rows in %s", ErrNotEmpty, n, t.name)
	}
	return err
}

func (t table) count(ctx context.Context, d *DB) (n int, err error) {
	err = d.Row(ctx, `SELECT count(*) FROM `+t.name).Scan(&n)
	return n, err
}

// copy copies all rows, so many in each transaction.
func (t table) copy(ctx context.Context, from, to *DB) error {
	var batch [][]any
	err := t.each(ctx, from, func(values []any) error {
		if batch = append(batch, values); len(batch) < copyBatch {
			return nil
		}
		full := batch
		batch = nil
		return t.insert(ctx, to, full)
	})
	if err != nil {
		return err
	}
	return t.insert(ctx, to, batch)
}

// insert adds rows in one transaction.
func (t table) insert(ctx context.Context, to *DB, rows [][]any) error {
	marks := make([]string, len(t.columns))
	for i := range marks {
		marks[i] = fmt.Sprintf("$%d", i+1)
	}
	insert := fmt.Sprintf(`INSERT INTO %s (%s) VALUES (%s)`, t.name, t.names(), strings.Join(marks, ", "))
	return to.Write(ctx, func(tx *Tx) error {
		for _, values := range rows {
			if _, err := tx.Exec(insert, values...); err != nil {
				return fmt.Errorf("%w: copying %s", err, t.describe(values))
			}
		}
		return nil
	})
}

// compare looks every row of the source up in the target, and counts both.
func (t table) compare(ctx context.Context, from, to *DB) (rows int, err error) {
	var where []string
	var key []int
	for i, c := range t.columns {
		if c.key > 0 {
			key = append(key, i)
			where = append(where, fmt.Sprintf("%s = $%d", c.name, len(key)))
		}
	}
	query := fmt.Sprintf(`SELECT %s FROM %s WHERE %s`, t.names(), t.name, strings.Join(where, " AND "))
	into, values := t.row()
	err = t.each(ctx, from, func(want []any) error {
		var args []any
		for _, i := range key {
			args = append(args, want[i])
		}
		if err := to.Row(ctx, query, args...).Scan(into...); err != nil {
			return fmt.Errorf("%w: looking for %s", err, t.describe(want))
		}
		if !slices.EqualFunc(want, values(), reflect.DeepEqual) {
			return fmt.Errorf("db: %s is not the same in the target", t.describe(want))
		}
		rows++
		return nil
	})
	if err != nil {
		return rows, err
	}
	there, err := t.count(ctx, to)
	if err != nil {
		return rows, err
	}
	if there != rows {
		return rows, fmt.Errorf("db: %s has %d rows in the target, and %d in the source", t.name, there, rows)
	}
	return rows, nil
}

// describe names a row by its primary key, without anything that is secret.
func (t table) describe(values []any) string {
	var parts []string
	for i, c := range t.columns {
		if c.key > 0 && c.name != "hash" {
			parts = append(parts, fmt.Sprintf("%s %v", c.name, values[i]))
		}
	}
	return "a row of " + t.name + " (" + strings.Join(parts, ", ") + ")"
}
