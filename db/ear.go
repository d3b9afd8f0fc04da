package db

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// everything is the one PostgreSQL channel that all of Hark's notes go through; each process picks out its own.
const everything = "hark"

// pgNotify has the server tell everybody once the transaction is committed.
func pgNotify(t *Tx, n note) error {
	_, err := t.Exec(`SELECT pg_notify('`+everything+`', $1)`, n.channel+"\n"+n.payload)
	return err
}

// An ear is the goroutine that listens to PostgreSQL. Whenever its connection breaks, it makes another and tells the
// listeners that they may have missed something.
type ear struct {
	config *pgx.ConnConfig
	hub    *hub
	log    *slog.Logger
	cancel context.CancelFunc
	done   chan struct{}
	first  chan struct{} // closed once it listens
	heard  bool          // it has listened before
}

func startEar(config *pgx.ConnConfig, h *hub, log *slog.Logger) *ear {
	ctx, cancel := context.WithCancel(context.Background())
	config = config.Copy()
	config.RuntimeParams["application_name"] = "hark ear"
	e := &ear{config: config, hub: h, log: log, cancel: cancel, done: make(chan struct{}), first: make(chan struct{})}
	go e.run(ctx)
	return e
}

// ready waits until the ear listens for the first time.
func (e *ear) ready(ctx context.Context) error {
	select {
	case <-e.first:
		return nil
	case <-e.done:
		return ErrClosed
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (e *ear) stop() {
	e.cancel()
	<-e.done
}

func (e *ear) run(ctx context.Context) {
	defer close(e.done)
	for wait := 100 * time.Millisecond; ctx.Err() == nil; wait = min(2*wait, 5*time.Second) {
		began := time.Now()
		err := e.listen(ctx)
		if ctx.Err() != nil {
			return
		}
		e.log.Warn("not hearing from the database", "err", err, "again", wait)
		if time.Since(began) > time.Minute {
			wait = 100 * time.Millisecond
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
		}
	}
}

// listen listens until the connection breaks.
func (e *ear) listen(ctx context.Context) error {
	conn, err := pgx.ConnectConfig(ctx, e.config)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if _, err := conn.Exec(ctx, `LISTEN `+everything); err != nil {
		return err
	}
	if e.heard {
		e.hub.lost()
	} else {
		e.heard = true
		close(e.first)
	}
	for {
		if err := e.next(ctx, conn); err != nil {
			return err
		}
	}
}

// quiet is after how long without a note the connection is tried.
const quiet = 15 * time.Second

// next hands on one note, or makes sure that the server is still there.
func (e *ear) next(ctx context.Context, conn *pgx.Conn) error {
	wait, cancel := context.WithTimeout(ctx, quiet)
	defer cancel()
	n, err := conn.WaitForNotification(wait)
	if err == nil {
		channel, payload, _ := strings.Cut(n.Payload, "\n")
		e.hub.publish([]note{{channel, payload}})
		return nil
	}
	if !errors.Is(err, context.DeadlineExceeded) || ctx.Err() != nil {
		return err
	}
	ping, cancel := context.WithTimeout(ctx, quiet)
	defer cancel()
	return conn.Ping(ping)
}
