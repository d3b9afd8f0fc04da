package main

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"hark/accounts"
	"hark/ivr"
)

// quick is a line on which nothing takes time: the caller keys number and PIN and hangs up at the main menu.
type quick struct {
	keys []string
}

func (*quick) ID() string                   { return "bench" }
func (*quick) Caller() string               { return "5551234" }
func (*quick) Called() string               { return "7000" }
func (*quick) Answer(context.Context) error { return nil }
func (*quick) Hangup(context.Context) error { return nil }
func (*quick) Flush()                       {}

func (q *quick) Gather(context.Context, ivr.Gather) (ivr.Input, error) {
	if len(q.keys) == 0 {
		return ivr.Input{Why: ivr.Stopped}, ivr.ErrHangup
	}
	keys := q.keys[0]
	q.keys = q.keys[1:]
	return ivr.Input{Keys: keys, Why: ivr.Full}, nil
}

func (*quick) Record(context.Context, ivr.Record) (ivr.Recorded, error) {
	return ivr.Recorded{}, ivr.ErrHangup
}

// BenchmarkLoginCall is all of Hark's work for a login call but what the switch causes: the dialogue, the account server,
// the presence server by the wire protocol in memory, the database, and finding the prompts.
func BenchmarkLoginCall(b *testing.B) {
	p := &parts{config: benchConfig(b), log: slog.New(slog.DiscardHandler)}
	ctx, cancel := context.WithCancel(b.Context())
	if err := p.open(ctx); err != nil {
		b.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- p.presence.Run(ctx) }()
	defer func() {
		cancel()
		<-ended
		if err := p.close(); err != nil {
			b.Error(err)
		}
	}()
	u, pin, err := p.accounts.Add(ctx, accounts.NewUser{Name: "Ana"})
	if err != nil {
		b.Fatal(err)
	}
	d, err := p.dialogues()
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		line := &quick{keys: []string{u.Number, pin}}
		if err := d.answer(b.Context(), line); err != nil || len(line.keys) > 0 {
			b.Fatalf("the call ended with %v and %d numbers not keyed", err, len(line.keys))
		}
	}
}

// benchConfig is a configuration with rendered speech that is shared between runs.
func benchConfig(b *testing.B) config {
	dir := b.TempDir()
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = dir
	}
	file := filepath.Join(dir, "hark.toml")
	text := "name = \"b:1\"\ndb = " + strconv.Quote(filepath.Join(dir, "hark.db")) + "\n[prompts]\ncache = " + strconv.Quote(filepath.Join(cache, "hark", "speech")) + "\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		b.Fatal(err)
	}
	c, err := loadConfig(file)
	if err != nil {
		b.Fatal(err)
	}
	return c
}
