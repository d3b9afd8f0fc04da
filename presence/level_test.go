package presence

import (
	"testing"

	"hark/presence/wire"
	"hark/sessions"
)

// What came since the level was read is counted once; what the reading saw is not counted again.
func TestLevelCount(t *testing.T) {
	l := level{known: map[string]wire.ExistsEvent{"phone": {Waiting: 2, Last: 10}, "web": {Waiting: 0, Last: 12}}}
	l.count([]sessions.Seq{9, 11, 11, 12, 14})
	want := map[string]wire.ExistsEvent{"phone": {Waiting: 5, Last: 14}, "web": {Waiting: 1, Last: 14}}
	for kind, level := range want {
		if l.known[kind] != level {
			t.Errorf("%s: %+v, want %+v", kind, l.known[kind], level)
		}
	}
}
