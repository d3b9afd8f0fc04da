// Package db opens Hark's database and brings its schema up to date.
//
// It is a leaf under packages sessions and accounts, which hold the SQL. One SQL text runs on every engine. It keeps to
// what the engines share: placeholders are $1, $2, …; times are BIGINT milliseconds of the database's own clock, which
// the SQL function hark_now() tells; bytes are BYTEA; INSERT … ON CONFLICT and RETURNING are there.
//
// # Writing
//
// DB.Write runs a function in a transaction. SQLite commits in groups: one goroutine owns the only writing connection
// and puts up to 1,024 waiting writes into one transaction, each behind its own savepoint when one of them fails, so that one
// sync of the disk pays for all of them and a write that fails does not fail its neighbours. Write returns after the sync, so
// what it acknowledged is on disk; others can read it a moment before, and Tx.OnVisible tells of that. The function must not
// call Write itself, must not do anything slow, and must be fit to run again from its beginning.
//
// # Reading
//
// Row and Each read what is committed, on a pool of connections that writers do not block. DB.Settle makes sure that it is on
// the disk.
//
// # Failures
//
// A full disk, an I/O error or a lost server is ErrTemporary: nothing was acknowledged, reading goes on where it can,
// and writing works again by itself once the cause is gone. The one exception is a disk that takes what is written and then
// fails to sync it: see DB.Failure.
//
// # One process
//
// A SQLite database belongs to the one process that opened it with Serve. Others may open it with Admin beside that
// process, for short commands.
package db
