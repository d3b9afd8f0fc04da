package audio

import "bytes"

// largestKept bounds a buffer that is kept: twelve minutes of a telephone's sound.
const largestKept = 12 << 20

// buffers keeps a few buffers for whole WAV files from one recording to the next. Memory that is new to the process costs
// more time than all that is done with it before a link is valid, and what a sync.Pool keeps is gone after the encoders'
// garbage collections.
type buffers chan *bytes.Buffer

// get returns an empty buffer, to be given to put in the end.
func (b buffers) get() *bytes.Buffer {
	select {
	case kept := <-b:
		kept.Reset()
		return kept
	default:
		return new(bytes.Buffer)
	}
}

// put keeps a buffer that nobody looks into any more.
func (b buffers) put(used *bytes.Buffer) {
	if used.Cap() > largestKept {
		return
	}
	select {
	case b <- used:
	default:
	}
}
