package web

import (
	"context"
	"io"
	"net/http"
	"time"

	"hark/presence/wire"
)

// A page of a browser that has cookies and a script is told at once when there is something new. The stream says only
// that, never what: the page asks for itself again.

const (
	liveBeat  = 25 * time.Second // something is sent so often, so that a lost browser is noticed
	liveWrite = 10 * time.Second // for one write
	liveMost  = 30 * time.Minute // then the browser asks again by itself, and the session's token is checked again
)

// live is where a page hears of what is new: only where the token is in a cookie, since each address with a token is
// good for one page and the one before.
func (v *visit) live() string {
	if !v.cookies() {
		return ""
	}
	return "/live"
}

// live is the stream of server-sent events. It holds one client of the session as long as it lasts.
func (s *Server) live(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), liveMost)
	defer cancel()
	v := newVisit(s, w, r.WithContext(ctx))
	if err := v.enter(); err != nil {
		w.WriteHeader(http.StatusNoContent) // which tells an EventSource not to come back
		return
	}
	defer v.client.Close()
	w.Header().Set("Content-Type", "text/event-stream")
	if err := v.stream(ctx); err != nil {
		s.Log.Debug("web: live stream ended", "err", err)
	}
}

// stream writes until the browser or the session is gone.
func (v *visit) stream(ctx context.Context) error {
	beat := time.NewTicker(liveBeat)
	defer beat.Stop()
	err := v.event("retry: 5000\n\n")
	for err == nil {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-beat.C:
			err = v.event(":\n\n")
		case e, open := <-v.client.Events():
			if !open {
				return nil
			}
			switch e.Name {
			case wire.Exists, wire.Delivery, wire.Service:
				err = v.event("event: new\ndata: " + e.Name + "\n\n")
			}
		}
	}
	return err
}

func (v *visit) event(text string) error {
	control := http.NewResponseController(v.w)
	if err := control.SetWriteDeadline(time.Now().Add(liveWrite)); err != nil {
		return err
	}
	if _, err := io.WriteString(v.w, text); err != nil {
		return err
	}
	return control.Flush()
}
