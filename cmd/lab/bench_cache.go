package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"hark/db"
	"hark/db/dbtest"
	"hark/im"
	"hark/sessions"
)

const (
	cacheUsers   = 1000
	cacheWriters = 1024 // calls at once: what a busy server has
	cacheTime    = 5 * time.Second
	cacheAim     = 30_000 // a second
)

// measureCache counts durable messages a second, each acknowledged after the commit that it is in has reached the disk,
// and what else the session database is asked for, on both engines.
func measureCache(ctx context.Context, l *lab) (figures []figure, err error) {
	dir, err := os.MkdirTemp("", "hark-bench-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	l.tell("cache: SQLite on %s", fileSystem(dir))
	figures, err = measureStore(ctx, "SQLite", filepath.Join(dir, "hark.db"), cacheAim)
	if err != nil {
		return figures, err
	}
	server, err := dbtest.Run(true)
	if errors.Is(err, dbtest.ErrMissing) {
		l.tell("cache: %v", err)
		return figures, nil
	}
	if err != nil {
		return figures, err
	}
	defer func() { err = errors.Join(err, server.Close()) }()
	source, err := server.Create()
	if err != nil {
		return figures, err
	}
	more, err := measureStore(ctx, "PostgreSQL", source, 0)
	return append(figures, more...), err
}

// measureStore measures one engine; aim is for its appends a second, 0 for none.
func measureStore(ctx context.Context, engine, source string, aim float64) (_ []figure, err error) {
	database, err := db.Open(ctx, db.Options{Source: source, Mode: db.Serve})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, database.Close()) }()
	store := sessions.Open(database, nil)
	defer func() { err = errors.Join(err, store.Close()) }()
	users, err := claimAll(ctx, store)
	if err != nil {
		return nil, err
	}
	before := ownCPU()
	count, took, err := appendAll(ctx, store, users)
	if err != nil {
		return nil, err
	}
	rate := float64(count) / took.Seconds()
	most := measured("cache: durable appends, "+engine, "%.0f a second, %.0f µs of CPU each",
		rate, micros(ownCPU()-before)/float64(max(count, 1)))
	if aim > 0 {
		most = most.against(fmt.Sprintf("≥ %.0f", aim), rate >= aim)
	}
	calls, err := measureStoreCalls(ctx, engine, store)
	return append([]figure{most}, calls...), err
}

// claimAll makes the sessions that messages are for.
func claimAll(ctx context.Context, store sessions.Store) ([]string, error) {
	inc, err := store.StartNode(ctx, "bench", "harks://bench:7778", time.Hour)
	if err != nil {
		return nil, err
	}
	users := make([]string, cacheUsers)
	group, ctx := errgroup.WithContext(ctx)
	for i := range users {
		users[i] = fmt.Sprintf("%07d", i)
		group.Go(func() error {
			_, err := store.Claim(ctx, users[i], "s", "bench", inc)
			return err
		})
	}
	return users, group.Wait()
}

// appendAll has many writers append messages of 100 letters for a while, and counts those that are on the disk.
func appendAll(ctx context.Context, store sessions.Store, users []string) (count int64, took time.Duration, err error) {
	var next, done atomic.Int64
	begun := time.Now()
	group, ctx := errgroup.WithContext(ctx)
	body := strings.Repeat("x", 100)
	for range cacheWriters {
		group.Go(func() error {
			for time.Since(begun) < cacheTime {
				n := next.Add(1)
				m := im.Message{Origin: fmt.Sprint(n), From: im.Address{Network: im.XMPP, ID: "ben@example.org"}, Body: body, Sent: begun}
				if _, err := store.Append(ctx, users[n%cacheUsers], 1, sessions.Batch{Messages: []im.Message{m}}); err != nil {
					return err
				}
				done.Add(1)
			}
			return nil
		})
	}
	err = group.Wait()
	return done.Load(), time.Since(begun), err
}

// fileSystem names the file system of a folder: what is durable on one that is only in memory is worth nothing.
func fileSystem(dir string) string {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return "an unknown file system"
	}
	names := map[int64]string{0xef53: "ext4", 0x58465342: "xfs", 0x9123683e: "btrfs", 0x794c7630: "overlayfs", 0x01021994: "tmpfs, in memory"}
	if name, ok := names[int64(s.Type)]; ok {
		return name
	}
	return fmt.Sprintf("file system %#x", s.Type)
}
