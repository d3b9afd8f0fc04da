package fastagi

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"hark/ivr"
	"hark/ivr/linetest"
	"hark/prompts"
)

var (
	oneSecond  = prompts.Clip{File: "/s/one.wav", Duration: time.Second}
	twoSeconds = prompts.Clip{File: "/s/two.wav", Duration: 2 * time.Second}
	missing    = prompts.Clip{File: "/s/none.wav", Duration: time.Second}
)

// TestGather is one turn after the other on a peer, in virtual time: what is pressed when, and what comes of it.
func TestGather(t *testing.T) {
	late := twoSeconds
	late.Offset = 500 * time.Millisecond
	paused := oneSecond
	paused.Pause = time.Second
	ms := func(n int) time.Duration { return time.Duration(n) * time.Millisecond }
	for _, test := range []struct {
		name   string
		before string // keys while the dialogue does something else
		gather ivr.Gather
		after  time.Duration // then, after that
		press  string        // these keys
		want   ivr.Input
		took   time.Duration
	}{
		{"nothing", "", ivr.Gather{Max: 1, First: ms(1500)}, 0, "", ivr.Input{Why: ivr.Timeout}, ms(1500)},
		{"no wait", "", ivr.Gather{Max: 1}, 0, "", ivr.Input{Why: ivr.Timeout}, 0},
		{"played", "", ivr.Gather{Play: []prompts.Clip{oneSecond, twoSeconds}}, 0, "", ivr.Input{Why: ivr.Played, Clip: 2}, ms(3000)},
		{"from an offset", "", ivr.Gather{Play: []prompts.Clip{late}}, 0, "", ivr.Input{Why: ivr.Played, Clip: 1}, ms(1500)},
		{"pause", "", ivr.Gather{Play: []prompts.Clip{paused, {Pause: ms(500)}}}, 0, "", ivr.Input{Why: ivr.Played, Clip: 2}, ms(2500)},
		{"barge-in", "", ivr.Gather{Play: []prompts.Clip{oneSecond, late}, Max: 1}, ms(1400), "7", ivr.Input{Keys: "7", Why: ivr.Full, Clip: 1, At: ms(1000)}, ms(1500)},
		{"barge-in in a pause", "", ivr.Gather{Play: []prompts.Clip{paused}, Max: 1}, ms(1400), "7", ivr.Input{Keys: "7", Why: ivr.Full, At: ms(1000)}, ms(1500)},
		{"number with hash", "", ivr.Gather{Play: []prompts.Clip{oneSecond}, Max: 9, Ends: "#", First: ms(1000)}, 0, "12#", ivr.Input{Keys: "12", End: "#", Why: ivr.EndKey, At: ms(100)}, ms(300)},
		{"half a number", "", ivr.Gather{Max: 9, First: ms(1000)}, 0, "12", ivr.Input{Keys: "12", Why: ivr.Timeout}, ms(3200)},
		{"half a number, own time", "", ivr.Gather{Max: 9, First: ms(1000), Between: ms(700)}, 0, "12", ivr.Input{Keys: "12", Why: ivr.Timeout}, ms(900)},
		{"typed ahead", "12#", ivr.Gather{Play: []prompts.Clip{oneSecond}, Max: 9, Ends: "#"}, 0, "", ivr.Input{Keys: "12", End: "#", Why: ivr.EndKey}, 0},
		{"half typed ahead", "1", ivr.Gather{Play: []prompts.Clip{oneSecond}, Max: 2, First: ms(1000)}, 0, "2", ivr.Input{Keys: "12", Why: ivr.Full}, ms(100)},
		{"single", "", ivr.Gather{Max: 9, Ends: "#*", Single: "*0", First: ms(1000)}, 0, "*", ivr.Input{Keys: "*", Why: ivr.Full}, ms(100)},
		{"not single any more", "", ivr.Gather{Max: 9, Ends: "#*", Single: "*0", First: ms(1000)}, 0, "10*", ivr.Input{Keys: "10", End: "*", Why: ivr.EndKey}, ms(300)},
		{"to the end all the same", "", ivr.Gather{Play: []prompts.Clip{twoSeconds}, Max: 2, NoBargeIn: true}, ms(400), "42", ivr.Input{Keys: "42", Why: ivr.Full, Clip: 1}, ms(2000)},
		{"keys are kept", "5", ivr.Gather{Play: []prompts.Clip{oneSecond}}, ms(300), "6", ivr.Input{Why: ivr.Played, Clip: 1}, ms(1000)},
	} {
		t.Run(test.name, func(t *testing.T) {
			inHall(t, func(h *hall) {
				p, c := h.call()
				time.Sleep(readTime) // until the peer listens
				p.press(test.before)
				began := time.Now()
				got := c.gather(test.gather)
				time.Sleep(test.after)
				p.press(test.press)
				in, err := got()
				if err != nil || in != test.want {
					t.Errorf("%+v, %v; want %+v", in, err, test.want)
				}
				if took := time.Since(began); took < test.took || took > test.took+silenceStep {
					t.Errorf("it took %v, want %v", took, test.took)
				}
				if test.name == "keys are kept" {
					if in, err := c.gather(ivr.Gather{Max: 2})(); err != nil || in.Keys != "56" {
						t.Errorf("afterwards: %+v, %v", in, err)
					}
				}
				c.End(nil)
				<-p.over
				if len(p.asked("HANGUP")) != 1 {
					t.Error("the call was not hung up")
				}
			})
		})
	}
}

// TestFlush drops keys, also those that the watch took.
func TestFlush(t *testing.T) {
	inHall(t, func(h *hall) {
		p, c := h.call()
		p.press("123")
		synctest.Wait()
		c.Do(c.Flush)
		if in, err := c.gather(ivr.Gather{Max: 1})(); err != nil || in.Keys != "" {
			t.Errorf("%+v, %v", in, err)
		}
	})
}

// TestInterruptRaces ends a context at every moment of a clip's end, with a peer that reads ahead too: the line goes on.
func TestInterruptRaces(t *testing.T) {
	for _, ahead := range []int{0, 1, 3} {
		inHall(t, func(h *hall) {
			p, c := h.call()
			p.ahead = ahead
			for _, before := range []time.Duration{500 * time.Millisecond, 3 * time.Millisecond, time.Millisecond, time.Microsecond, 0, -time.Microsecond, -time.Millisecond} {
				ctx, cancel := context.WithTimeout(c.ctx, time.Second-before)
				in, err := linetest.Later(c.Jobs, func() (ivr.Input, error) {
					return c.Gather(ctx, ivr.Gather{Play: []prompts.Clip{oneSecond}})
				})()
				cancel()
				switch {
				case err == nil && before < readTime && in.Why == ivr.Played:
				case errors.Is(err, context.DeadlineExceeded) && in.Why == ivr.Stopped:
				default:
					t.Errorf("%v before the end, %d ahead: %+v, %v", before, ahead, in, err)
				}
				if c.ctx.Err() != nil {
					t.Fatalf("%v before the end, %d ahead: the call is over: %v", before, ahead, context.Cause(c.ctx))
				}
			}
			got := c.gather(ivr.Gather{Max: 2, First: time.Minute})
			time.Sleep(time.Second)
			p.press("12")
			if in, err := got(); err != nil || in.Keys != "12" {
				t.Errorf("afterwards: %+v, %v", in, err)
			}
		})
	}
}

// TestHangupEnds: a hang-up in whatever the line does, and in nothing, is the cause of the call's end.
func TestHangupEnds(t *testing.T) {
	for name, do := range map[string]func(*call) error{
		"nothing": func(c *call) error { <-c.ctx.Done(); return context.Cause(c.ctx) },
		"prompt": func(c *call) error {
			in, err := c.Gather(c.ctx, ivr.Gather{Play: []prompts.Clip{twoSeconds}, Max: 1})
			if in.At < 900*time.Millisecond || in.At > time.Second {
				t.Errorf("the place is %v, want 1 s", in.At)
			}
			return err
		},
		"keys": func(c *call) error {
			_, err := c.Gather(c.ctx, ivr.Gather{Max: 1, First: time.Minute})
			return err
		},
		"recording": func(c *call) error {
			rec, err := c.Record(c.ctx, ivr.Record{Max: time.Minute, Ends: "#"})
			if rec.Why != ivr.HungUp || rec.Duration != 3*time.Second {
				t.Errorf("the recording: %+v", rec)
			}
			return err
		},
	} {
		inHall(t, func(h *hall) {
			p, c := h.call()
			got := linetest.Later(c.Jobs, func() (int, error) {
				err := do(c)
				return 0, errors.Join(err, c.Hangup(c.ctx))
			})
			time.Sleep(time.Second)
			p.events <- "hangup"
			if _, err := got(); !errors.Is(err, ivr.ErrHangup) {
				t.Errorf("%s: %v", name, err)
			}
			synctest.Wait()
			if n := h.server.Calls(); n != 0 {
				t.Errorf("%s: %d calls are left", name, n)
			}
		})
	}
}

// TestFailures: a file that is not there is ErrLine, and the call goes on; with a connection that cannot be understood,
// or does not answer, it is over.
func TestFailures(t *testing.T) {
	for name, test := range map[string]struct {
		odd    map[string]string
		silent bool
		play   prompts.Clip
		want   error
	}{
		"missing":       {nil, false, missing, ivr.ErrLine},
		"no path":       {nil, false, prompts.Clip{File: "one.wav"}, ivr.ErrLine},
		"control":       {nil, false, prompts.Clip{File: "/s/a\nHANGUP.wav"}, ivr.ErrLine},
		"usage":         {map[string]string{"STREAM": "520-Invalid command syntax.  Proper usage follows:\nUsage: x\n200 result=53\n520 End of proper usage.\n"}, false, oneSecond, ivr.ErrLine},
		"unknown":       {map[string]string{"STREAM": "510 Invalid or unknown command\n"}, false, oneSecond, ivr.ErrLine},
		"dead":          {map[string]string{"STREAM": "511 Command Not Permitted on a dead channel or intercept routine\n"}, false, oneSecond, ivr.ErrHangup},
		"hangup first":  {map[string]string{"STREAM": "HANGUP\n"}, false, oneSecond, ivr.ErrHangup},
		"no reply":      {map[string]string{"STREAM": "hello\n"}, false, oneSecond, ivr.ErrHangup},
		"endless line":  {map[string]string{"STREAM": strings.Repeat("x", maxLine+1)}, false, oneSecond, ivr.ErrHangup},
		"endless usage": {map[string]string{"STREAM": "520-\n" + strings.Repeat("usage\n", maxReply)}, false, oneSecond, ivr.ErrHangup},
		"empty line":    {map[string]string{"STREAM": "\n"}, false, oneSecond, ivr.ErrHangup},
		"silent":        {nil, true, oneSecond, ivr.ErrHangup},
	} {
		t.Run(name, func(t *testing.T) {
			inHall(t, func(h *hall) {
				p := h.dialPeer("agi_arg_1: " + theNonce)
				c := <-h.lines
				p.silent = test.silent
				for word, reply := range test.odd {
					p.odd[word] = reply
				}
				began := time.Now()
				_, err := c.gather(ivr.Gather{Play: []prompts.Clip{test.play}})()
				if !errors.Is(err, test.want) {
					t.Errorf("%v, want %v", err, test.want)
				}
				if over := c.ctx.Err() != nil; over != (test.want == ivr.ErrHangup) {
					t.Errorf("over: %v", over)
				}
				if took := time.Since(began); took > time.Second+answerTime {
					t.Errorf("it took %v", took)
				}
			})
		})
	}
}

// TestRecordings: how a recording ends, and what its file holds.
func TestRecordings(t *testing.T) {
	second := time.Second
	for name, test := range map[string]struct {
		record ivr.Record
		event  string
		want   ivr.Recorded
		asked  string
	}{
		"key":     {ivr.Record{Tone: oneSecond, Max: 60 * second, Silence: 4 * second, Ends: "#*"}, "#", ivr.Recorded{Duration: 3 * second, Key: "#", Why: ivr.EndKey}, ` wav "#*" 60000 s=4`},
		"silence": {ivr.Record{Tone: oneSecond, Max: 60 * second, Silence: 3500 * time.Millisecond, Ends: "#"}, "silence", ivr.Recorded{Duration: 6 * second, Why: ivr.Silence}, ` wav "#" 60000 s=4`},
		"limit":   {ivr.Record{Max: 5 * second, Silence: 4 * second}, "limit", ivr.Recorded{Duration: 3 * second, Why: ivr.Limit}, ` wav "" 5000 s=4`},
		"no tone": {ivr.Record{Tone: missing, Ends: "#\"x"}, "#", ivr.Recorded{Duration: 3 * second, Key: "#", Why: ivr.EndKey}, ` wav "#" 180000`},
	} {
		t.Run(name, func(t *testing.T) {
			inHall(t, func(h *hall) {
				p, c := h.call()
				test.record.Prompt = []prompts.Clip{oneSecond}
				got := c.record(test.record)
				time.Sleep(7 * time.Second)
				if test.event == "limit" {
					time.Sleep(test.record.Max)
				}
				p.events <- test.event
				rec, err := got()
				if err != nil || rec.File == "" {
					t.Fatalf("%+v, %v", rec, err)
				}
				os.Remove(rec.File)
				if rec.File = ""; rec != test.want {
					t.Errorf("%+v, want %+v", rec, test.want)
				}
				if asked := p.asked("RECORD FILE"); len(asked) != 1 || !strings.HasSuffix(asked[0], test.asked) {
					t.Errorf("the command was %q", asked)
				}
				if left, _ := os.ReadDir(h.server.Recordings); len(left) != 1 {
					t.Errorf("files left: %v", left)
				}
			})
		})
	}
}
