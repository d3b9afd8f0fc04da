package ivr_test

import (
	"cmp"
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

// phones make calls to a server, one at a time.
type phones struct {
	server *ivr.Server
	dir    string       // where lines record
	after  func() error // tells what a call left behind, besides recordings

	mu    sync.Mutex
	line  *ivrtest.Line   // the last call
	heard []ivrtest.Heard // in the call before
	calls int
	gone  chan error // what Handle returned
	broke string     // the line's operation that fails next
	other func(endpoint string) ivrtest.Far
	shut  context.CancelCauseFunc
}

var errShutdown = errors.New("shutting down")

// Ring makes it the stage of a conversation.
func (p *phones) Ring(ctx context.Context, from string) (ivrtest.Phone, error) {
	return p.Dial(ctx, from)
}

// Dial makes a call. One that is "back to 5551234" is Hark's own, and answered there.
func (p *phones) Dial(ctx context.Context, from string) (*ivrtest.Line, error) {
	handle := p.server.Handle
	if number, ok := strings.CutPrefix(from, "back to "); ok {
		from, handle = number, func(ctx context.Context, l ivr.Line) error { return p.server.Ring(ctx, l, theUser, "Ana") }
	}
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	p.calls++
	line := ivrtest.NewLine(fmt.Sprintf("call-%d", p.calls), from, p.dir)
	line.Hanger = func() { cancel(ivr.ErrHangup) }
	line.Fail, line.Other = p.lineFails, p.other
	gone := make(chan error, 1)
	p.line, p.shut, p.gone = line, cancel, gone
	go func() {
		gone <- handle(ctx, line)
		cancel(nil)
	}()
	return line, nil
}

// lineFails fails the operation that is to fail, once.
func (p *phones) lineFails(op string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.broke != op {
		return nil
	}
	p.broke = ""
	return fmt.Errorf("%w: as arranged", ivr.ErrLine)
}

// setLine reads "fails gather", "shuts down".
func (p *phones) setLine(rest string) error {
	if rest == "shuts down" {
		p.shut(errShutdown)
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.broke = strings.TrimPrefix(rest, "fails ")
	return nil
}

// Gone waits until the last call is over, and looks at what it left behind.
func (p *phones) Gone(ctx context.Context) error {
	select {
	case err := <-p.gone:
		if err != nil && !errors.Is(err, errShutdown) {
			return fmt.Errorf("Handle: %w", err)
		}
	case <-ctx.Done():
		return errors.New("Handle does not return")
	}
	return p.clean()
}

// clean tells what a call left behind.
func (p *phones) clean() error {
	files, err := os.ReadDir(p.dir)
	if err != nil || len(files) > 0 {
		return fmt.Errorf("recordings left: %v %w", files, err)
	}
	return p.after()
}

// world is Hark with everything around it, but for the telephone in memory. It is the stage of a conversation.
type world struct {
	phones
	auth  *bureau
	post  *post
	shelf *shelf
	desk  *desk
	voice *ivrtest.Voice
}

// book is read once: it is only read afterwards.
var book = sync.OnceValues(func() (*prompts.Book, error) { return prompts.LoadBook(nil, "") })

func newVoice(t testing.TB) *ivrtest.Voice {
	t.Helper()
	texts, err := book()
	if err != nil {
		t.Fatal(err)
	}
	return &ivrtest.Voice{Book: texts}
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{
		auth:  &bureau{user: theUser, pin: thePIN},
		post:  &post{user: theUser, pin: thePIN, state: map[string]json.RawMessage{}, clients: map[*client]bool{}},
		shelf: &shelf{kept: map[string]time.Duration{}},
		desk:  &desk{ends: map[string]ivrtest.Far{}},
		voice: newVoice(t),
	}
	w.other = w.desk.dialled
	w.dir, w.after = t.TempDir(), w.detached
	w.server = &ivr.Server{Auth: w.auth, Dial: w.post, Voice: w.voice, Recordings: w.shelf,
		Profiles: w.auth, Callers: w.auth, Phones: w.desk, CallBacks: w.desk, Languages: w.voice.Book.Languages()}
	return w
}

// detached tells whether a client is still attached.
func (w *world) detached() error {
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
		"file": w.file, "asks": w.asks, "fetch": w.setFetch, "contact": w.contact, "message": w.message, "messages": many(w.message), "voice": w.voiceMessage, "wrote": w.wrote,
		"auth": w.setAuth, "presence": w.setPresence, "recordings": w.setRecordings, "line": w.setLine,
		"send": w.setSend, "network": w.setNetwork, "shows": w.setShow, "known": w.setKnown, "status": w.checkStatus, "pin": w.checkPIN, "name": w.checkName,
		"language": w.setLanguage, "speech": w.setSpeech, "code": w.setCode,
		"sent": w.checkSent, "cursor": w.checkCursor, "marked": w.checkMarked, "tries": w.checkTries, "draft": w.checkDraft, "elsewhere": w.draftElsewhere,
		"telephone": w.desk.setTelephone, "rings": w.desk.checkRings, "calls": w.desk.setCalls,
		"place": w.checkPlace, "kept": w.checkKept, "logins": w.checkLogins,
	}[verb]
	if !ok {
		return fmt.Errorf("nobody knows how to %q", verb)
	}
	return do(rest)
}

// contact adds somebody.
func (w *world) contact(rest string) error {
	w.post.mu.Lock()
	defer w.post.mu.Unlock()
	who := somebody(rest)
	who.Number = len(w.post.roster) + 1
	w.post.roster = append(w.post.roster, who)
	return nil
}

// somebody reads "Ben available", "Ben available at ben@work.example".
func somebody(rest string) wire.Contact {
	name, show, _ := strings.Cut(rest, " ")
	show, at, _ := strings.Cut(show, " at ")
	who := wire.Contact{Address: person(name), Name: name, Show: im.Show(show)}
	who.Address.ID = cmp.Or(at, who.Address.ID)
	return who
}

// setShow changes somebody's availability: "shows Ben away".
func (w *world) setShow(rest string) error {
	name, show, _ := strings.Cut(rest, " ")
	w.post.shows(person(name), im.Show(show))
	return nil
}

// setKnown reads "from 5551234".
func (w *world) setKnown(rest string) error {
	w.auth.mu.Lock()
	defer w.auth.mu.Unlock()
	w.auth.known = strings.TrimPrefix(rest, "from ")
	return nil
}

// setLanguage reads "de": the account's language.
func (w *world) setLanguage(rest string) error {
	w.auth.mu.Lock()
	defer w.auth.mu.Unlock()
	w.auth.lang = rest
	return nil
}

func (w *world) checkStatus(rest string) error {
	w.post.mu.Lock()
	defer w.post.mu.Unlock()
	return same(string(w.post.status), rest)
}

func (w *world) checkPIN(rest string) error {
	w.auth.mu.Lock()
	defer w.auth.mu.Unlock()
	return same(w.auth.pin, rest)
}

// checkName wants the user to have changed the name, or to be Ana still.
func (w *world) checkName(rest string) error {
	w.auth.mu.Lock()
	defer w.auth.mu.Unlock()
	return same(cmp.Or(w.auth.name, "Ana"), rest)
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

// many delivers messages: "105 from Ben: Note" are "Note 1" to "Note 105", and "30 long from Ben: Note" as many with 4,000
// letters behind that.
func many(message func(string) error) func(rest string) error {
	return func(rest string) error {
		count, rest, _ := strings.Cut(rest, " ")
		n, err := strconv.Atoi(count)
		rest, long := strings.CutPrefix(rest, "long ")
		for i := range n {
			text := fmt.Sprintf("%s %d", rest, i+1)
			if long {
				text += ". " + strings.Repeat("word ", 800)
			}
			err = errors.Join(err, message(text))
		}
		return err
	}
}

// asks delivers a message that offers its answers, each as LABEL=BODY: "asks from Ben: Pizza? | Gladly=yes | No=no".
func (w *world) asks(rest string) error {
	rest, offers, _ := strings.Cut(rest, " | ")
	m, text, err := written(rest)
	m.Body = text
	for _, offer := range strings.Split(offers, " | ") {
		label, body, _ := strings.Cut(offer, "=")
		m.Choices = append(m.Choices, im.Choice{Label: label, Body: body})
	}
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

// file delivers something that is not a recording of ours: "file from Ben image/png: https://…".
func (w *world) file(rest string) error {
	m, err := attached(rest)
	w.post.deliver(m)
	return err
}

// attached reads "from Ben image/png: https://…".
func attached(rest string) (im.Message, error) {
	head, url, _ := strings.Cut(rest, ": ")
	words := strings.Fields(head)
	if len(words) != 3 || words[0] != "from" {
		return im.Message{}, fmt.Errorf("%q is not of the form: from NAME TYPE: URL", rest)
	}
	return im.Message{
		From: person(words[1]), Sent: time.Now().UTC(), Attachments: []im.Attachment{{URL: url, Type: words[2]}},
	}, nil
}

// setFetch reads "refused CODE": the next FETCH is.
func (w *world) setFetch(rest string) error {
	w.post.mu.Lock()
	defer w.post.mu.Unlock()
	w.post.refuseFetch = strings.TrimPrefix(rest, "refused ")
	return nil
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

func (w *world) setAuth(rest string) error       { return setFault(&w.auth.fault, rest) }
func (w *world) setRecordings(rest string) error { return w.shelf.arrange(rest) }

// arrange reads "lost", "full", and what setFault reads.
func (s *shelf) arrange(rest string) error {
	switch rest {
	case "lost":
		s.lose()
		return nil
	case "full":
		s.mu.Lock()
		defer s.mu.Unlock()
		s.full = true
		return nil
	}
	return setFault(&s.fault, rest)
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

// setNetwork reads a state of wire.ServiceEvent.
func (w *world) setNetwork(rest string) error { w.post.network(rest); return nil }

// setSend reads "refused CODE", "queued", "panics".
func (w *world) setSend(rest string) error {
	w.post.mu.Lock()
	defer w.post.mu.Unlock()
	word, arg, _ := strings.Cut(rest, " ")
	w.post.refuse, w.post.queued, w.post.panics = arg, word == "queued", word == "panics"
	return nil
}

func (w *world) setSpeech(rest string) error { return fail(w.voice, rest) }

// fail reads "fails", "fails ID", "works", and for a voice that does not know the script "cannot read".
func fail(v *ivrtest.Voice, rest string) error {
	word, id, _ := strings.Cut(rest, " ")
	v.Fail = func(asked string) error {
		if word == "fails" && (id == "" || id == asked) {
			return errors.New("no synthesiser")
		}
		if rest == "cannot read" && asked == "" {
			return fmt.Errorf("free text: %w", prompts.ErrUnspeakable)
		}
		return nil
	}
	return nil
}

// setCode reads "bound to 5551234", and "for 24h": how long the session number holds.
func (w *world) setCode(rest string) error {
	w.post.mu.Lock()
	defer w.post.mu.Unlock()
	if d, err := time.ParseDuration(strings.TrimPrefix(rest, "for ")); err == nil {
		w.post.until = d
		return nil
	}
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
		got = describe(m.To, m.Body, m.Attachments, m.ReplyTo)
	}
	return same(got, rest)
}

// describe says what was sent: "to xmpp:ben@example.org: voice 5s answering".
func describe(to im.Address, body string, list []im.Attachment, replyTo string) string {
	got := fmt.Sprintf("to %s: %s", to, body)
	if len(list) == 1 && list[0].URL == body && list[0].IsAudio() {
		got = fmt.Sprintf("to %s: voice %.0fs", to, list[0].Seconds)
		if list[0].Title == cutShort {
			got += " " + cutShort
		}
	}
	if replyTo != "" {
		got += " answering"
	}
	return got
}

// same compares what is with what a conversation expects.
func same(got, want string) error {
	if got != want {
		return fmt.Errorf("it is %s", got)
	}
	return nil
}

// checkCursor compares how far the phone has acknowledged.
func (w *world) checkCursor(rest string) error {
	w.post.mu.Lock()
	defer w.post.mu.Unlock()
	return same(strconv.FormatInt(w.post.cursor, 10), rest)
}

// checkMarked compares which messages' senders were told that they were heard: "marked 1 3", "marked none".
func (w *world) checkMarked(rest string) error {
	w.post.mu.Lock()
	defer w.post.mu.Unlock()
	if len(w.post.marked) == 0 {
		return same("none", rest)
	}
	return same(strings.Trim(fmt.Sprint(w.post.marked), "[]"), rest)
}

func (w *world) checkTries(rest string) error {
	return same(strconv.Itoa(w.auth.tries), rest)
}

func (w *world) checkLogins(rest string) error {
	return same(strconv.Itoa(w.post.logins), rest)
}

// checkPlace reads "2 at 3s", "none".
func (w *world) checkPlace(rest string) error {
	var v wire.PlaceValue
	w.stateOf(wire.Place, &v)
	return same(place(v), rest)
}

// place writes a place.
func place(v wire.PlaceValue) string {
	if v.Seq == 0 {
		return "none"
	}
	return fmt.Sprintf("%d at %s", v.Seq, (time.Duration(v.MS) * time.Millisecond).Round(time.Second))
}

func (w *world) stateOf(verb string, v any) {
	w.post.mu.Lock()
	defer w.post.mu.Unlock()
	if raw := w.post.state[verb+" "]; raw != nil {
		_ = json.Unmarshal(raw, v)
	}
}

func (w *world) checkKept(rest string) error { return w.shelf.checkKept(rest) }

// checkKept counts the recordings in the store.
func (s *shelf) checkKept(rest string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return same(strconv.Itoa(len(s.kept)), rest)
}
