package ivr_test

import (
	"context"
	"testing"

	"hark/ivr"
)

// deft is a line on which nothing takes time: the caller keys number and PIN and hangs up at the main menu.
type deft struct {
	keys []string
}

func (d *deft) ID() string                   { return "bench" }
func (d *deft) Caller() string               { return "5551234" }
func (d *deft) Called() string               { return "7000" }
func (d *deft) Answer(context.Context) error { return nil }
func (d *deft) Hangup(context.Context) error { return nil }
func (d *deft) Flush()                       {}

func (d *deft) Gather(_ context.Context, g ivr.Gather) (ivr.Input, error) {
	if g.Max == 0 {
		return ivr.Input{Why: ivr.Played, Clip: len(g.Play)}, nil
	}
	if len(d.keys) == 0 {
		return ivr.Input{Why: ivr.Stopped}, ivr.ErrHangup
	}
	keys := d.keys[0]
	d.keys = d.keys[1:]
	return ivr.Input{Keys: keys, Why: ivr.Full}, nil
}

func (d *deft) Record(context.Context, ivr.Record) (ivr.Recorded, error) {
	return ivr.Recorded{}, ivr.ErrHangup
}

// BenchmarkLoginCall is the dialogue's own work for one login call: number, PIN, main menu, hang-up. Presence server,
// account server and speech cost nothing here.
func BenchmarkLoginCall(b *testing.B) {
	w := newWorld(b)
	b.ReportAllocs()
	for b.Loop() {
		if err := w.server.Handle(b.Context(), &deft{keys: []string{theUser, thePIN}}); err != nil {
			b.Fatal(err)
		}
	}
}
