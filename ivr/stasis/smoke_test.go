package stasis

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"os/exec"
	"testing"
	"time"

	"hark/internal/testbed"
	"hark/ivr"
	"hark/prompts"
)

func tone(t *testing.T, name string, secs float64, hz int) prompts.Clip {
	f := t.TempDir() + "/" + name + ".wav"
	out, err := exec.Command("sox", "-n", "-r", "8000", "-c", "1", "-b", "16", f, "synth", fmt.Sprint(secs), "sine", fmt.Sprint(hz), "vol", "0.5").CombinedOutput()
	if err != nil {
		t.Fatal(string(out))
	}
	return prompts.Clip{File: f, ID: name, Duration: time.Duration(secs * float64(time.Second))}
}

func TestSmoke(t *testing.T) {
	ast := testbed.AsteriskFor(t, testbed.AsteriskOptions{})
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
	a1 := tone(t, "a1", 1, 440)
	a2 := tone(t, "a2", 1, 880)
	a3 := tone(t, "a3", 1, 1200)
	beep := tone(t, "beep", 0.2, 1000)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan int)
	start := time.Now()
	say := func(args ...any) { fmt.Println(append([]any{time.Since(start).Round(time.Millisecond)}, args...)...) }
	app := &App{URL: ast.ARIURL, User: ast.ARIUser, Password: ast.ARIPassword, Log: log, Handle: func(ctx context.Context, l ivr.Line) error {
		say("call", l.ID(), l.Caller(), l.Called())
		say(l.Answer(ctx))
		in, err := l.Gather(ctx, ivr.Gather{Play: []prompts.Clip{a1, a2, a3}})
		say("played", in, err)
		in, err = l.Gather(ctx, ivr.Gather{Play: []prompts.Clip{a1, a2, a3}, Max: 7, Ends: "#", First: 2 * time.Second})
		say("gather", in, err)
		in, err = l.Gather(ctx, ivr.Gather{Play: []prompts.Clip{a1, {File: a2.File, Offset: 500 * time.Millisecond, Duration: time.Second, Pause: 300 * time.Millisecond}, a3}, Max: 7, Ends: "#", First: 2 * time.Second})
		say("gather 2", in, err)
		rec, err := l.Record(ctx, ivr.Record{Tone: beep, Max: 10 * time.Second, Silence: 4 * time.Second, Ends: "#"})
		say("record", rec, err)
		rec, err = l.Record(ctx, ivr.Record{Tone: beep, Max: 10 * time.Second, Silence: 4 * time.Second, Ends: "#"})
		say("record", rec, err)
		in, err = l.Gather(ctx, ivr.Gather{Play: []prompts.Clip{a1, {File: "/nix/x.wav"}, a3}})
		say("missing", in, err)
		in, err = l.Gather(ctx, ivr.Gather{Play: []prompts.Clip{a1}, Max: 3, First: 10 * time.Second})
		say("hangup", in, err)
		close(done)
		return err
	}}
	probe := &App{URL: ast.ARIURL, User: ast.ARIUser, Password: ast.ARIPassword, Log: log, Name: "probe"}
	probe.Handle = func(ctx context.Context, l ivr.Line) error {
		say("probe", l.ID(), l.Called())
		key := func(k string) {
			err := probe.rest.do(ctx, command{method: "POST", path: []string{"channels", l.ID(), "dtmf"}, query: url.Values{"dtmf": {k}}}, nil)
			say("pressed", k, err)
		}
		sleep(ctx, 5*time.Second)
		key("1")
		key("2#")
		sleep(ctx, 3*time.Second)
		key("#")
		sleep(ctx, 1*time.Second)
		l.Gather(ctx, ivr.Gather{Play: []prompts.Clip{a1, a2}})
		key("#")
		sleep(ctx, time.Second)
		l.Gather(ctx, ivr.Gather{Play: []prompts.Clip{a1, a2}})
		sleep(ctx, 20*time.Second)
		return nil
	}
	errs := make(chan error, 2)
	go func() { errs <- app.Run(ctx) }()
	go func() { errs <- probe.Run(ctx) }()
	for !app.Connected() || !probe.Connected() {
		time.Sleep(10 * time.Millisecond)
	}
	err := app.rest.do(ctx, command{method: "POST", path: []string{"channels"}, query: url.Values{"endpoint": {"Local/7000@hark/n"}, "app": {"probe"}, "callerId": {"12345"}, "formats": {"slin"}}}, nil)
	say("orig", err)
	<-done
	cancel()
	say(<-errs, <-errs)
}
