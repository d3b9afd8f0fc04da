package ivr_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"hark/im"
	"hark/ivr"
	"hark/ivr/ivrtest"
	"hark/presence/wire"
	"hark/prompts"
)

// What every conversation may count on.
const (
	theUser = "4711001"
	thePIN  = "246810"
)

// world is Hark with everything around it, but for the telephone in memory. It is the stage of a conversation.
type world struct {
	server *ivr.Server
	auth   *bureau
	post   *post
	shelf  *shelf
	voice  *ivrtest.Voice
	dir    string // where lines record

	mu    sync.Mutex
	calls int
	gone  chan error // what Handle returned
	broke string     // the line's operation that fails next
	shut  context.CancelCauseFunc
}

var errShutdown = errors.New("shutting down")

// book is read once: it is only read afterwards.
var book = sync.OnceValues(func() (*prompts.Book, error) { return prompts.LoadBook(nil, "") })

func newWorld(t testing.TB) *world {
	t.Helper()
	texts, err := book()
	if err != nil {
		t.Fatal(err)
	}
	w := &world{
		auth:  &bureau{user: theUser, pin: thePIN},
		post:  &post{user: theUser, pin: thePIN, state: map[string]json.RawMessage{}, clients: map[*client]bool{}},
		shelf: &shelf{kept: map[string]time.Duration{}},
		voice: &ivrtest.Voice{Book: texts},
		dir:   t.TempDir(),
	}
	w.server = &ivr.Server{Auth: w.auth, Dial: w.post, Voice: w.voice, Recordings: w.shelf}
	return w
}

// Dial makes a call.
func (w *world) Dial(ctx context.Context, from string) (*ivrtest.Line, error) {
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	w.calls++
	line := ivrtest.NewLine(fmt.Sprintf("call-%d", w.calls), from, w.dir)
	line.Hanger = func() { cancel(ivr.ErrHangup) }
	line.Fail = w.lineFails
	w.shut = cancel
	gone := make(chan error, 1)
	w.gone = gone
	go func() {
		gone <- w.server.Handle(ctx, line)
		cancel(nil)
	}()
	return line, nil
}

// lineFails fails the operation that is to fail, once.
func (w *world) lineFails(op string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.broke != op {
		return nil
	}
	w.broke = ""
	return fmt.Errorf("%w: as arranged", ivr.ErrLine)
}

// Gone waits until the last call is over, and looks at what it left behind.
func (w *world) Gone(ctx context.Context) error {
	select {
	case err := <-w.gone:
		if err != nil && !errors.Is(err, errShutdown) {
			return fmt.Errorf("Handle: %w", err)
		}
	case <-ctx.Done():
		return errors.New("Handle does not return")
	}
	return w.clean()
}

// clean tells what a call left behind.
func (w *world) clean() error {
	files, err := os.ReadDir(w.dir)
	if err != nil || len(files) > 0 {
		return fmt.Errorf("recordings left: %v %w", files, err)
	}
	w.post.mu.Lock()
	defer w.post.mu.Unlock()
	if n := len(w.post.clients); n > 0 {
		return fmt.Errorf("%d clients still attached", n)
	}
	return nil
}

// Do does what a line of a conversation says.
func (w *world) Do(_ context.Context, line string) error {
	verb, rest, _ := strings.Cut(line, " ")
	do, ok := map[string]func(rest string) error{
		"contact": w.contact, "message": w.message, "voice": w.voiceMessage, "wrote": w.wrote,
		"auth": w.setAuth, "presence": w.setPresence, "recordings": w.setRecordings, "line": w.setLine,
		"send": w.setSend, "speech": w.setSpeech, "code": w.setCode,
		"sent": w.checkSent, "cursor": w.checkCursor, "tries": w.checkTries, "draft": w.checkDraft,
		"place": w.checkPlace, "kept": w.checkKept, "logins": w.checkLogins,
	}[verb]
	if !ok {
		return fmt.Errorf("nobody knows how to %q", verb)
	}
	return do(rest)
}

// contact adds somebody: "contact Ben available".
func (w *world) contact(rest string) error {
	name, show, _ := strings.Cut(rest, " ")
	w.post.mu.Lock()
	defer w.post.mu.Unlock()
	w.post.roster = append(w.post.roster, wire.Contact{
		Address: person(name), Name: name, Number: len(w.post.roster) + 1, Show: im.Show(show),
	})
	return nil
}

// person is the address of somebody by name.
func person(name string) im.Address {
	if name[0] >= '0' && name[0] <= '9' {
		return im.Address{Network: im.Hark, ID: name}
	}
	return im.Address{Network: im.XMPP, ID: strings.ToLower(name) + "@example.org"}
}

// message delivers one: "message from Ben: text", "message from Ben 2m ago: text".
func (w *world) message(rest string) error {
	m, text, err := written(rest)
	m.Body = strings.ReplaceAll(text, `\n`, "\n")
	w.post.deliver(m)
	return err
}

// voiceMessage delivers a recording: "voice from Carla: 12s".
func (w *world) voiceMessage(rest string) error {
	m, text, err := written(rest)
	d, derr := time.ParseDuration(text)
	link := w.shelf.put(d)
	m.Body, m.Attachments = link.URL, []im.Attachment{link}
	w.post.deliver(m)
	return errors.Join(err, derr)
}

// wrote puts a message of the user's own into the log.
func (w *world) wrote(rest string) error {
	w.post.deliver(im.Message{Body: rest, Outgoing: true, Sent: time.Now()})
	return nil
}

// written reads "from Ben 2m ago: text".
func written(rest string) (im.Message, string, error) {
	head, text, ok := strings.Cut(rest, ": ")
	words := strings.Fields(head)
	if !ok || len(words) < 2 || words[0] != "from" {
		return im.Message{}, "", fmt.Errorf("%q is not of the form: from NAME: TEXT", rest)
	}
	m := im.Message{From: person(words[1]), Sent: time.Now().UTC(), ID: "id-" + text}
	if len(words) > 2 {
		ago, err := time.ParseDuration(words[2])
		if err != nil {
			return im.Message{}, "", err
		}
		m.Sent = m.Sent.Add(-ago)
	}
	return m, text, nil
}

// setFault reads "away", "back", "slow 3s".
func setFault(f *fault, rest string) error {
	word, arg, _ := strings.Cut(rest, " ")
	switch word {
	case "away":
		f.set(errors.New("connection refused"), 0)
	case "back":
		f.set(nil, 0)
	case "slow":
		d, err := time.ParseDuration(arg)
		f.set(nil, d)
		return err
	default:
		return fmt.Errorf("%q is not away, back or slow", rest)
	}
	return nil
}

func (w *world) setAuth(rest string) error { return setFault(&w.auth.fault, rest) }
func (w *world) setRecordings(rest string) error {
	switch rest {
	case "lost":
		w.shelf.lose()
		return nil
	case "full":
		w.shelf.full = true
		return nil
	}
	return setFault(&w.shelf.fault, rest)
}

// setPresence reads also "cut", "dies", "forgets", "dropped 7", "stops".
func (w *world) setPresence(rest string) error {
	word, arg, _ := strings.Cut(rest, " ")
	switch word {
	case "cut":
		w.post.cut()
	case "dies":
		w.post.fault.set(errors.New("connection refused"), 0)
		w.post.cut()
	case "forgets":
		w.post.mu.Lock()
		w.post.open = false
		w.post.mu.Unlock()
		w.post.cut()
	case "dropped":
		w.post.dropped, _ = strconv.Atoi(arg)
	default:
		return setFault(&w.post.fault, rest)
	}
	return nil
}

// setLine reads "fails gather", "shuts down".
func (w *world) setLine(rest string) error {
	if rest == "shuts down" {
		w.shut(errShutdown)
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.broke = strings.TrimPrefix(rest, "fails ")
	return nil
}

// setSend reads "refused CODE", "queued", "panics".
func (w *world) setSend(rest string) error {
	w.post.mu.Lock()
	defer w.post.mu.Unlock()
	word, arg, _ := strings.Cut(rest, " ")
	w.post.refuse, w.post.queued, w.post.panics = arg, word == "queued", word == "panics"
	return nil
}

// setSpeech reads "fails", "fails ID", "works".
func (w *world) setSpeech(rest string) error {
	word, id, _ := strings.Cut(rest, " ")
	w.voice.Fail = func(asked string) error {
		if word == "fails" && (id == "" || id == asked) {
			return errors.New("no synthesiser")
		}
		return nil
	}
	return nil
}

// setCode reads "bound to 5551234".
func (w *world) setCode(rest string) error {
	w.post.mu.Lock()
	defer w.post.mu.Unlock()
	w.post.open, w.post.bound = true, strings.TrimPrefix(rest, "bound to ")
	return nil
}

// checkSent takes the next message that was sent: "sent to Ben: voice 5s", "sent nothing".
func (w *world) checkSent(rest string) error {
	w.post.mu.Lock()
	defer w.post.mu.Unlock()
	got := "nothing"
	if len(w.post.sent) > 0 {
		m := w.post.sent[0]
		w.post.sent = w.post.sent[1:]
		got = fmt.Sprintf("to %s: %s", m.To, m.Body)
		if len(m.Attachments) == 1 && m.Attachments[0].URL == m.Body && m.Attachments[0].IsAudio() {
			got = fmt.Sprintf("to %s: voice %.0fs", m.To, m.Attachments[0].Seconds)
		}
		if m.ReplyTo != "" {
			got += " answering"
		}
	}
	if got != rest {
		return fmt.Errorf("it was sent %s", got)
	}
	return nil
}

// checkCursor compares how far the phone has acknowledged.
func (w *world) checkCursor(rest string) error {
	w.post.mu.Lock()
	defer w.post.mu.Unlock()
	if got := strconv.FormatInt(w.post.cursor, 10); got != rest {
		return fmt.Errorf("it is %s", got)
	}
	return nil
}

func (w *world) checkTries(rest string) error {
	if got := strconv.Itoa(w.auth.tries); got != rest {
		return fmt.Errorf("it is %s", got)
	}
	return nil
}

func (w *world) checkLogins(rest string) error {
	if got := strconv.Itoa(w.post.logins); got != rest {
		return fmt.Errorf("it is %s", got)
	}
	return nil
}

// checkDraft reads "for Ben 5s", "none", and with older ones "for Ben 5s, Carla 3s".
func (w *world) checkDraft(rest string) error {
	type value struct {
		wire.DraftValue
		Older []value `json:"older"`
	}
	var v value
	w.stateOf(wire.Draft, &v)
	got := "none"
	if v.Audio != "" {
		got = fmt.Sprintf("for %s %.0fs", v.To, v.Seconds)
		for _, old := range v.Older {
			got += fmt.Sprintf(", %s %.0fs", old.To, old.Seconds)
		}
	}
	if got != rest {
		return fmt.Errorf("it is %s", got)
	}
	return nil
}

// checkPlace reads "2 at 3s", "none".
func (w *world) checkPlace(rest string) error {
	var v wire.PlaceValue
	w.stateOf(wire.Place, &v)
	got := "none"
	if v.Seq != 0 {
		got = fmt.Sprintf("%d at %s", v.Seq, (time.Duration(v.MS) * time.Millisecond).Round(time.Second))
	}
	if got != rest {
		return fmt.Errorf("it is %s", got)
	}
	return nil
}

func (w *world) stateOf(verb string, v any) {
	w.post.mu.Lock()
	defer w.post.mu.Unlock()
	if raw := w.post.state[verb+" "]; raw != nil {
		_ = json.Unmarshal(raw, v)
	}
}

// checkKept counts the recordings in the store.
func (w *world) checkKept(rest string) error {
	w.shelf.mu.Lock()
	defer w.shelf.mu.Unlock()
	if got := strconv.Itoa(len(w.shelf.kept)); got != rest {
		return fmt.Errorf("it is %s", got)
	}
	return nil
}
