package audio

// largestKept bounds a buffer that is kept, in bytes or samples: twice the longest message of a telephone.
const largestKept = 6 << 20

// buffers keeps a few buffers, for whole WAV files or their sound, from one recording to the next. Memory that is new to
// the process costs more time than all that is done with it before a link is valid, and what a sync.Pool keeps is gone
// after the encoders' garbage collections.
type buffers[T byte | int16] chan []T

// get returns an empty buffer with room for n, to be given to put in the end.
func (b buffers[T]) get(n int) []T {
	select {
	case kept := <-b:
		if cap(kept) >= n {
			return kept[:0]
		}
	default:
	}
	return make([]T, 0, n)
}

// put keeps a buffer that nobody looks into any more.
func (b buffers[T]) put(used []T) {
	if cap(used) > largestKept {
		return
	}
	select {
	case b <- used:
	default:
	}
}
