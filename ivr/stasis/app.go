package stasis

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"sync"
	"time"

	"hark/ivr"
	"hark/ivr/asterisk"
)

// ErrReplaced is what Run returns when another process took the application over; the channels are left to it.
var ErrReplaced = errors.New("stasis: another process took over the application; each Hark at an Asterisk needs one of its own name")

// ErrShutdown is the cause with which the context of a call ends that was still going when App.Drain had passed.
var ErrShutdown = errors.New("stasis: shutting down")

// An App answers the calls of one Asterisk. Fill the exported fields, then Run it once. Connected, Calls and Abort may be
// called from any goroutine.
type App struct {
	// URL is the root of ARI: "http://127.0.0.1:8088/ari".
	URL string
	// User and Password are those of ari.conf.
	User, Password string
	// Name of the Stasis application; "hark" when empty.
	Name string
	// Handle is one call, in its own goroutine. ctx ends with cause ivr.ErrHangup when the caller hangs up, ErrShutdown
	// or ErrReplaced. When Handle returns nil the call is hung up; when it returns an error, and the caller is still
	// there, the call goes on in the dialplan behind Stasis, where a spoken apology stands.
	Handle func(ctx context.Context, line ivr.Line) error
	// Left, when not nil, is asked once, after the first connection, for each recording that a former process left at Asterisk
	// in a call which is over by now. It returns what keeps the recording, whose file is that one's to remove, or nil for a
	// call that it does not know: then the recording stays where it is.
	Left func(channel string) (keep func(ctx context.Context, spoken ivr.Recorded))
	// Log is told what an administrator should know; nil is silence. Keys never reach it.
	Log *slog.Logger
	// Media maps folders of this machine to the same folders as Asterisk sees them. The longest match wins; a file
	// under none of them is played by its own path.
	Media map[string]string
	// TempDir is where recordings land; "" is the system's.
	TempDir string
	// Sorry is the label in the dialplan to which calls are sent that Handle cannot serve; "" is "sorry".
	Sorry string
	// MaxCalls at once; further ones go on in the dialplan at once. 0 is 500.
	MaxCalls int
	// AnswerPause is waited between the answer and the first sound; see the package's text.
	AnswerPause time.Duration
	// LinkPatience is how long calls are kept while Asterisk cannot be reached; 0 is one minute.
	LinkPatience time.Duration
	// Drain is how long calls may go on after Run's context ended; 0 is 30 s, negative is not at all.
	Drain time.Duration
	// Grace is how long Handle may take to return after its context ended by ErrShutdown; 0 is 5 s.
	Grace time.Duration

	log     *slog.Logger
	rest    *rest
	media   asterisk.MediaMap
	calls   calls
	link    link
	ids     ids
	warn    sync.Once      // about an old Asterisk
	swept   bool           // recordings that a former process left are taken; for resync only
	helpers sync.WaitGroup // goroutines that give refused calls back; started by the reader only
}

// Connected tells whether events of Asterisk arrive at present.
func (a *App) Connected() bool { return a.link.up.Load() }

// Calls is the number of calls in progress.
func (a *App) Calls() int { return a.calls.count() }

// Abort ends the time that calls have to finish (Drain) at once. It has no effect before Run's context ended.
func (a *App) Abort() { a.calls.abort() }

// Check asks Asterisk once whether it would let this App in: a wrong address, user or password is told in words.
// It must not be called together with Run.
func (a *App) Check(ctx context.Context) error {
	if err := a.prepare(); err != nil {
		return err
	}
	defer a.rest.close()
	_, err := a.rest.info(ctx)
	return err
}

// Run answers calls until ctx ends, then lets those in progress finish. It connects, and connects again, as often as it
// takes: an Asterisk that is away is no error. It returns nil, ErrReplaced, or an error of the fields.
func (a *App) Run(ctx context.Context) error {
	if a.Handle == nil {
		return errors.New("stasis: App.Handle is not set")
	}
	if err := a.prepare(); err != nil {
		return err
	}
	defer a.rest.close()
	defer a.helpers.Wait()
	linkCtx, cutLink := context.WithCancel(context.WithoutCancel(ctx))
	defer cutLink()
	ended := make(chan error, 1)
	go func() { ended <- a.keepLink(linkCtx) }()
	var winder sync.WaitGroup
	winder.Go(func() { a.wind(linkCtx) })
	defer func() { cutLink(); winder.Wait() }()
	select {
	case err := <-ended:
		a.calls.endAll(err)
		return errors.Join(err, a.calls.wait(context.Background(), a.Grace))
	case <-ctx.Done():
	}
	err := a.drain()
	cutLink()
	<-ended
	return err
}

// drain lets calls finish, then ends them.
func (a *App) drain() error {
	a.calls.refuse()
	if n := a.calls.count(); n > 0 {
		a.log.Info("waiting for calls to finish", "calls", n, "at most", a.Drain)
	}
	if a.calls.wait(a.calls.aborted, a.Drain) == nil {
		return nil
	}
	a.calls.endAll(ErrShutdown)
	return a.calls.wait(context.Background(), a.Grace)
}

// prepare checks the fields and fills in what was left out.
func (a *App) prepare() error {
	u, err := url.Parse(a.URL)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return fmt.Errorf("stasis: App.URL %q is not of the form http://host:8088/ari", a.URL)
	}
	a.setDefaults()
	a.media = asterisk.NewMediaMap(a.Media)
	a.rest = newRest(u, a.User, a.Password)
	a.calls.init()
	a.ids.init()
	return nil
}

func (a *App) setDefaults() {
	a.log = a.Log
	if a.log == nil {
		a.log = slog.New(slog.DiscardHandler)
	}
	if a.Name == "" {
		a.Name = "hark"
	}
	if a.Sorry == "" {
		a.Sorry = "sorry"
	}
	if a.TempDir == "" {
		a.TempDir = os.TempDir()
	}
	if a.MaxCalls <= 0 {
		a.MaxCalls = 500
	}
	orDefault(&a.LinkPatience, time.Minute)
	orDefault(&a.Drain, 30*time.Second)
	orDefault(&a.Grace, 5*time.Second)
}

func orDefault(d *time.Duration, value time.Duration) {
	if *d == 0 {
		*d = value
	}
}
