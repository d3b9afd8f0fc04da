package ivr

import (
	"context"
	"errors"
	"time"

	"hark/prompts"
)

// ErrHangup is the cause with which a call's context ends when the caller hangs up, and what a Line's methods return
// from then on.
var ErrHangup = errors.New("ivr: the caller hung up")

// ErrLine is what a Line's methods return (wrapped) when the telephone side fails while the caller is still there: the
// sound cannot be played, the switch does not answer. The call goes on if it can.
var ErrLine = errors.New("ivr: the line failed")

// A Line is one telephone call as the dialogue sees it. Over ARI it is package ivr/stasis, over a terminal
// ivr/console, in tests ivr/ivrtest. All methods are called from the call's own goroutine, one at a time; each returns
// early with ctx's cause when ctx ends. Keys that the caller presses at any time are kept in order until a Gather takes
// them (type-ahead), Flush drops them, or a Record ends.
type Line interface {
	// ID names the call in logs and at the switch.
	ID() string
	// Caller is the caller id as the network gave it, "" when withheld. It proves nothing (T2).
	Caller() string
	// Called is the number that was dialled.
	Called() string
	// Answer takes the call. Answering twice is a no-op.
	Answer(ctx context.Context) error
	// Gather plays and collects keys; see Gather. With an error, too, the Input says as well as it can how far the
	// playing came: after a hang-up that is the caller's place.
	Gather(ctx context.Context, g Gather) (Input, error)
	// Flush drops the keys that were pressed and not yet taken.
	Flush()
	// Record plays g.Prompt, then a tone, and records. The ending key is not left in the key buffer.
	Record(ctx context.Context, r Record) (Recorded, error)
	// Hangup ends the call.
	Hangup(ctx context.Context) error
}

// A Gather is one turn: what is played and which keys are awaited. With Max 0 nothing is awaited: it plays to the end,
// and keys stay in the buffer.
type Gather struct {
	Play []prompts.Clip // one after the other, without a gap but for their own Pause
	// Max ends the input at so many keys; a # or another key of Ends ends it before, and is not part of the keys.
	Max  int
	Ends string
	// Single lists keys that count at once as the whole input when they come first ("*0" in a field of digits, say).
	Single  string
	First   time.Duration // wait for the first key after the last clip ended; 0 does not wait
	Between time.Duration // wait between keys; 0 is 3 s
	// Trail is how long, after Max keys, a key of Ends still belongs to the input: it ends it, as it would have done
	// before. Any other key ends the wait at once and stays in the buffer. 0 does not wait.
	Trail time.Duration
	// NoBargeIn plays to the end whatever is pressed; keys are kept.
	NoBargeIn bool
	// Spare, when not 0, is a key that means nothing when it comes first and before SpareUntil: playing goes on over it, and
	// Input.Spared tells of it. A line that cannot play on over a key may take it as any other.
	Spare      byte
	SpareUntil time.Time
}

// Why tells what ended a Gather or a Record.
type Why string

// The ends of a turn.
const (
	Full     Why = "full"     // Max keys (and no key of Ends within Trail), or a Single key
	EndKey   Why = "endkey"   // a key of Ends
	Timeout  Why = "timeout"  // no (further) key in time; Keys holds what came
	Played   Why = "played"   // Max was 0 and everything was played
	Silence  Why = "silence"  // a recording ended by silence
	Limit    Why = "limit"    // a recording reached its longest
	HungUp   Why = "hangup"   // a recording ended by hang-up: what there is of it is returned together with ErrHangup
	Stopped  Why = "stopped"  // ctx ended
	LineFail Why = "linefail" // the switch failed in the middle of a recording, or its disk was full
)

// Input is the outcome of a Gather.
type Input struct {
	Keys string // 0-9 * # A-D
	End  string // the key of Ends that ended it, or ""
	Why  Why
	// Clip and At tell how far the playing came: index into Play (len(Play) when all was played) and time into that
	// clip, with the clip's own Offset counted in. The dialogue keeps them as the caller's place.
	Clip   int
	At     time.Duration
	Spared bool // Gather.Spare was pressed and passed over
}

// A Record says how to record.
type Record struct {
	Prompt  []prompts.Clip // played before the tone; can be interrupted by a key, which is then dropped
	Tone    prompts.Clip
	Max     time.Duration // longest
	Silence time.Duration // this much silence at the end ends it; 0 never
	Ends    string        // keys that end it
	// Tick is what the caller hears, beside the recording and not in it, when only Warn of Max is left. A line that cannot
	// play while it records, as over FastAGI, leaves it out. The zero Tick is none.
	Tick prompts.Clip
	Warn time.Duration
}

// Recorded is the outcome of a Record.
type Recorded struct {
	// File is a WAV file (PCM, 8 kHz or more, 16 bit, mono) on this machine that the caller of Record owns and removes.
	// "" when nothing was recorded.
	File string
	// Duration is taken from the file, never from the switch's word.
	Duration time.Duration
	Key      string // the key that ended it, or ""
	Why      Why
}
