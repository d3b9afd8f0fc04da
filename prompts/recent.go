package prompts

import (
	"sync"
	"time"
)

// recentTime is how long the clip of a static prompt is believed without a look at its file: when somebody removes the
// file it is rendered anew so much later at the latest.
const recentTime = 10 * time.Second

// recent remembers the clips of static prompts, which every call needs. Any goroutine may use it.
type recent struct {
	mu    sync.Mutex
	until time.Time // when all are forgotten
	clips map[promptKey]Clip
}

type promptKey struct{ lang, id string }

func (r *recent) get(key promptKey) (Clip, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if now := time.Now(); now.After(r.until) {
		r.until, r.clips = now.Add(recentTime), make(map[promptKey]Clip)
	}
	clip, ok := r.clips[key]
	return clip, ok
}

// put remembers a clip; get comes before it.
func (r *recent) put(key promptKey, clip Clip) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.clips[key] = clip
}
