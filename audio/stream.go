package audio

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// streams knows who is being served what, so that a revoked recording stops in the middle.
type streams struct {
	mu   sync.Mutex
	open map[string]map[*stream]bool // by object key
}

// recheck is how often a stream looks whether its recording is still there: another process may have revoked it.
const recheck = 500 * time.Millisecond

// stall is how long a client may take nothing of a recording before it is let go.
const stall = time.Minute

// A stream is one response under way. It reads from the object until the recording is gone.
type stream struct {
	io.ReadSeeker
	ctx    context.Context
	store  *Store
	key    string
	writer *http.ResponseController
	cutOff bool      // guarded by streams.mu
	looked time.Time // when we last saw that it is there; monotonic, not the store's clock
}

// follow makes a stream; done must be called at its end.
func (s *Store) follow(ctx context.Context, key string, o Object, w http.ResponseWriter) (st *stream, done func()) {
	st = &stream{ReadSeeker: o, ctx: ctx, store: s, key: key, writer: http.NewResponseController(w), looked: time.Now()}
	t := &s.streams
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.open == nil {
		t.open = make(map[string]map[*stream]bool)
	}
	if t.open[key] == nil {
		t.open[key] = make(map[*stream]bool)
	}
	t.open[key][st] = true
	return st, func() { t.drop(st) }
}

func (t *streams) drop(st *stream) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.open[st.key], st)
	if len(t.open[st.key]) == 0 {
		delete(t.open, st.key)
	}
}

// cut ends all streams of a recording, also those that wait for a slow client.
func (t *streams) cut(key string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for st := range t.open[key] {
		st.cutOff = true
		_ = st.writer.SetWriteDeadline(time.Unix(1, 0)) // unknown to a writer without a connection: Read still ends
	}
}

// goOn gives the client the time for one more piece; ErrGone when it was cut off.
func (t *streams) goOn(st *stream) error {
	t.mu.Lock() // or the time that is given could replace that of cut
	defer t.mu.Unlock()
	if st.cutOff {
		return ErrGone
	}
	_ = st.writer.SetWriteDeadline(time.Now().Add(stall)) // unknown to a writer without a connection
	return nil
}

// kernelBuffer is how much of a recording may be on its way to a client: 4 s of the master, 16 s of the MP3.
const kernelBuffer = 64 << 10

// SmallBuffer is for http.Server.ConnContext, where links are served without a proxy in front: it bounds what the kernel
// holds for a slow client. Without it all of a recording may be under way before it is revoked.
func SmallBuffer(ctx context.Context, c net.Conn) context.Context {
	if t, ok := c.(*tls.Conn); ok {
		c = t.NetConn()
	}
	if t, ok := c.(interface{ SetWriteBuffer(int) error }); ok {
		_ = t.SetWriteBuffer(kernelBuffer) // a broken connection is found out when it is used
	}
	return ctx
}

// Read implements io.Reader. It fails with ErrGone once the recording is no more.
func (st *stream) Read(b []byte) (int, error) {
	if err := st.store.streams.goOn(st); err != nil {
		return 0, err
	}
	if time.Since(st.looked) > recheck {
		rec, err := load(st.ctx, st.store.backend, st.key)
		if err != nil || rec.expired(st.store.cfg.Now()) {
			return 0, ErrGone
		}
		st.looked = time.Now()
	}
	return st.ReadSeeker.Read(b)
}
