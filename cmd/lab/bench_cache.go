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
	"hark/im"
	"hark/sessions"
)

const (
	cacheUsers   = 1000
	cacheWriters = 1024 // calls at once: what a busy server has
	cacheTime    = 5 * time.Second
	cacheAim     = 20_000 // a second
)

// measureCache counts durable messages a second: each is acknowledged after the commit that it is in has reached the disk.
func measureCache(ctx context.Context, l *lab) (_ []figure, err error) {
	dir, err := os.MkdirTemp("", "hark-bench-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	database, err := db.Open(ctx, db.Options{Source: filepath.Join(dir, "hark.db"), Mode: db.Serve})
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
	return []figure{
		measured("cache: durable appends (SQLite on "+fileSystem(dir)+")", "%.0f a second, %.0f µs of CPU each",
			rate, micros(ownCPU()-before)/float64(max(count, 1))).
			against(fmt.Sprintf("≥ %d", cacheAim), rate >= cacheAim),
	}, nil
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
				if _, err := store.Append(ctx, users[n%cacheUsers], 1, []im.Message{m}, im.XMPP, nil); err != nil {
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
