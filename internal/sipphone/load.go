package sipphone

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"time"
)

// LoadOptions tells Load what to do.
type LoadOptions struct {
	Options
	// Rate is how many calls begin in a second, evenly spaced.
	Rate float64
	// Calls is how many there are in all.
	Calls int
	// Script is what each call does once it is answered; a call is complete when it returns nil. nil hangs up at once.
	Script func(ctx context.Context, call *Call) error
	// Each, when not nil, gives the options and the script of call n, the first being 0, in place of Options and Script;
	// only To must be the same in all. Any goroutine may call it.
	Each func(n int) (Options, func(ctx context.Context, call *Call) error)
	// Limit is how long a call may take in all; 0 is a minute.
	Limit time.Duration
}

// Stats is the outcome of Load.
type Stats struct {
	Calls    int // begun
	Complete int // answered, and the script came to its end
	Elapsed  time.Duration
	Answer   Latency // from INVITE to 200
	FirstRTP Latency // from 200 to the first sound
	Lost     int     // sound packets
	Packets  int     // sound packets that came in
	Gap      Latency // the largest gap of each call
	Errors   map[string]int
}

// Latency is a distribution.
type Latency struct{ P50, P90, P99, Max time.Duration }

// Load makes calls at a steady rate from one telephone, and waits for all of them. It fails only when the telephone
// cannot be opened; what becomes of the calls stands in Stats.
func Load(ctx context.Context, o LoadOptions) (Stats, error) {
	local, err := localFor(o.Local, o.To)
	if err != nil {
		return Stats{}, err
	}
	phone, err := NewPhone(PhoneOptions{Local: local, Log: o.Log})
	if err != nil {
		return Stats{}, err
	}
	if o.Limit <= 0 {
		o.Limit = time.Minute
	}
	t := &tally{errors: map[string]int{}}
	start := time.Now()
	t.begin(ctx, phone, o)
	t.calls.Wait()
	stats := t.stats()
	stats.Elapsed = time.Since(start)
	return stats, phone.Close()
}

// tally collects the outcomes of calls.
type tally struct {
	calls sync.WaitGroup

	mu       sync.Mutex // guards what follows
	begun    int
	complete int
	answered []CallStats
	errors   map[string]int
}

// begin starts the calls at their rate, or stops early with ctx.
func (t *tally) begin(ctx context.Context, phone *Phone, o LoadOptions) {
	ticker := time.NewTicker(time.Duration(float64(time.Second) / o.Rate))
	defer ticker.Stop()
	for n := range o.Calls {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
		t.calls.Go(func() { t.count(t.one(ctx, phone, o.call(n))) })
	}
}

// call is what call n does.
func (o LoadOptions) call(n int) LoadOptions {
	if o.Each != nil {
		o.Options, o.Script = o.Each(n)
	}
	return o
}

// one makes one call.
func (t *tally) one(ctx context.Context, phone *Phone, o LoadOptions) (*CallStats, error) {
	ctx, cancel := context.WithTimeout(ctx, o.Limit)
	defer cancel()
	call, err := phone.Dial(ctx, o.Options)
	if err != nil {
		return nil, err
	}
	if o.Script != nil {
		err = o.Script(ctx, call)
	}
	stats := call.Stats()
	if bye := call.Hangup(ctx); err == nil {
		err = bye
	}
	return &stats, err
}

func (t *tally) count(s *CallStats, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.begun++
	if s != nil {
		t.answered = append(t.answered, *s)
	}
	if err != nil {
		t.errors[err.Error()]++
		return
	}
	t.complete++
}

func (t *tally) stats() Stats {
	s := Stats{Calls: t.begun, Complete: t.complete, Errors: t.errors}
	var answer, first, gap []time.Duration
	for _, c := range t.answered {
		answer, gap = append(answer, c.Answer), append(gap, c.LargestGap)
		if c.FirstRTP >= 0 {
			first = append(first, c.FirstRTP)
		}
		s.Lost, s.Packets = s.Lost+c.Lost, s.Packets+c.Packets
	}
	s.Answer, s.FirstRTP, s.Gap = latencyOf(answer), latencyOf(first), latencyOf(gap)
	return s
}

// latencyOf sorts and picks (nearest rank).
func latencyOf(d []time.Duration) Latency {
	if len(d) == 0 {
		return Latency{}
	}
	slices.Sort(d)
	rank := func(p float64) time.Duration { return d[max(0, int(math.Ceil(p*float64(len(d))))-1)] }
	return Latency{P50: rank(0.5), P90: rank(0.9), P99: rank(0.99), Max: d[len(d)-1]}
}

// String is the latency in one line, in milliseconds.
func (l Latency) String() string {
	ms := func(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
	return fmt.Sprintf("p50 %.1f  p90 %.1f  p99 %.1f  max %.1f ms", ms(l.P50), ms(l.P90), ms(l.P99), ms(l.Max))
}

// String is a small table.
func (s Stats) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "calls      %d complete of %d in %.1f s\n", s.Complete, s.Calls, s.Elapsed.Seconds())
	fmt.Fprintf(&b, "answer     %s\nfirst RTP  %s\n", s.Answer, s.FirstRTP)
	fmt.Fprintf(&b, "packets    %d, %d lost; largest gap %s\n", s.Packets, s.Lost, s.Gap)
	for err, n := range s.Errors {
		fmt.Fprintf(&b, "error      %d × %s\n", n, err)
	}
	return b.String()
}
