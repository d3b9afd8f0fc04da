package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"hark/accounts"
	"hark/audio"
	"hark/db"
	"hark/ivr"
	"hark/ivr/stasis"
	"hark/presence"
	"hark/prompts"
	"hark/sessions"
)

func (p *program) serveCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "serve",
		Short: "Run Hark",
		Long: `Run every server that the configuration names, until SIGTERM or an interrupt.

At the first one no new calls are taken, those in progress may finish (30 s), and the sessions stay at their networks;
a second one ends the program at once. Nothing that was acknowledged is lost either way.
SIGUSR1 gives memory that is not needed back to the system, and logs how much is in use. Where memory is scarce, GOGC=100 in
the environment has garbage collected more often.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := loadConfig(p.configPath)
			if err != nil {
				return err
			}
			return serve(cmd.Context(), c, p.logger(c.Log))
		},
	}
}

// parts are the servers of one process.
type parts struct {
	config    config
	log       *slog.Logger
	db        *db.DB
	keys      *accounts.Keys
	accounts  *accounts.DB
	sessions  *sessions.SQL
	audio     *audio.Store
	book      *prompts.Book
	speaker   *prompts.Speaker
	presence  *presence.Server
	voices    map[string]ivr.Voice // of numbers with words of their own, by the folder of those
	doors     *tls.Config          // with which the doors check other nodes
	notes     *callNotes
	calls     callList
	perCaller perCaller
	loops     atomic.Int64   // logins that the nodes referred in a circle
	webOpen   chan struct{}  // closed when browsers are answered, or none ever will be
	closers   []func() error // in the order of opening
}

// serve opens everything, runs it until ctx ends, and closes it in the opposite order.
func serve(ctx context.Context, c config, log *slog.Logger) (err error) {
	collectSeldom()
	p := &parts{config: c, log: log, webOpen: make(chan struct{})}
	defer func() { err = errors.Join(err, p.close()) }()
	if err := p.open(ctx); ctx.Err() != nil {
		log.Info("stopping")
		return nil
	} else if err != nil {
		return err
	}
	return p.run(ctx)
}

// freePorts tells of an address that another process has, before speech is rendered, which takes a minute at first.
func (p *parts) freePorts(ctx context.Context) error {
	l := p.config.Listen
	for key, address := range map[string]string{"web": l.Web, "presence": strings.TrimPrefix(l.Presence, "tls://"), "agi": l.AGI, "admin": l.Admin} {
		if address == "" || strings.Contains(address, "/") { // none, or a socket's path
			continue
		}
		listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
		if err != nil {
			return fmt.Errorf("listen.%s: %w", key, err)
		}
		if err := listener.Close(); err != nil {
			return err
		}
	}
	return nil
}

// open opens every part, in the order in which they stand on each other; last what takes long.
func (p *parts) open(ctx context.Context) error {
	for _, open := range []func(context.Context) error{p.openStores, p.freePorts, p.openAudio, p.openPresence, p.openSpeech} {
		if err := open(ctx); err != nil {
			return err
		}
	}
	return nil
}

// run starts every listener and waits for all of them.
func (p *parts) run(ctx context.Context) error {
	calls, err := p.telephone()
	if err != nil {
		return err
	}
	// The presence server outlives the doors: calls that may still finish need it. Its end is the doors' end.
	inner, stopCore := context.WithCancel(context.WithoutCancel(ctx))
	defer stopCore()
	outer, stopDoors := context.WithCancel(ctx)
	defer stopDoors()
	core, coreCtx := errgroup.WithContext(inner)
	core.Go(func() error { defer stopDoors(); return p.presence.Run(coreCtx) })
	core.Go(func() error { defer stopDoors(); return p.listenPresence(coreCtx) })
	core.Go(func() error { defer stopDoors(); return p.db.Failure(coreCtx) })
	core.Go(func() error { tellMemory(coreCtx, p.log); return nil })

	doors, doorsCtx := errgroup.WithContext(outer)
	if calls != nil {
		doors.Go(func() error { return calls.Run(doorsCtx) })
		doors.Go(func() error { return p.ringer(calls).run(doorsCtx) })
	}
	doors.Go(func() error { return p.listenAGI(doorsCtx) })
	doors.Go(func() error { return p.listenWeb(doorsCtx) })
	doors.Go(func() error { return p.listenAdmin(doorsCtx, calls) })
	doors.Go(func() error { return p.sayReady(doorsCtx, calls) })
	err = ignoreCancel(doors.Wait())
	p.log.Info("stopping")
	stopCore()
	return errors.Join(err, ignoreCancel(core.Wait()))
}

// ignoreCancel drops the error that only says that we were told to stop.
func ignoreCancel(err error) error {
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// sayReady logs one line once calls and browsers are served; the lab waits for it.
func (p *parts) sayReady(ctx context.Context, calls *stasis.App) error {
	for calls != nil && !calls.Connected() {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(50 * time.Millisecond):
		}
	}
	select {
	case <-ctx.Done():
		return nil
	case <-p.webOpen:
	}
	p.log.Info("ready", "web", p.config.Listen.Web, "ari", p.config.Asterisk.ARI, "version", version)
	return nil
}

// close closes what was opened, the last first.
func (p *parts) close() (err error) {
	for i := len(p.closers) - 1; i >= 0; i-- {
		err = errors.Join(err, p.closers[i]())
	}
	return err
}

// opened remembers how to close a part.
func (p *parts) opened(name string, closer func() error) {
	p.closers = append(p.closers, func() error {
		if err := closer(); err != nil {
			return fmt.Errorf("closing the %s: %w", name, err)
		}
		return nil
	})
}
