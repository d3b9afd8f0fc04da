package sipphone

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/emiago/sipgo"
	"github.com/emiago/sipgo/sip"

	"hark/internal/wav"
)

// byeTime is how long Hangup waits for the other side to confirm.
const byeTime = 2 * time.Second

// A Call is one call that was answered. Its methods may be called from any goroutine; keys and speech of several are
// sent one after the other.
type Call struct {
	phone    *Phone
	ownPhone *Phone // closed together with the call
	opt      Options
	id       string // Call-ID
	law      law
	media    *net.UDPConn
	ear      *ear
	mouth    *mouth

	client *sipgo.DialogClientSession // one of the two; neither changes once the call is up
	server *sipgo.DialogServerSession
	up     atomic.Bool

	ctx    context.Context // ends with the call; its cause tells why
	cancel context.CancelCauseFunc
	work   sync.WaitGroup // ear and mouth

	goodbye   sync.Mutex // held while the other side's goodbye is confirmed
	hangup    sync.Once
	hangupErr error

	mu     sync.Mutex // guards what follows
	cursor int        // where the next WaitHear begins to look, in the ear's flow
	answer time.Duration
}

// newCall opens the socket for the sound.
func newCall(p *Phone, o Options) (*Call, error) {
	l, err := lawOf(o.Codec)
	if err != nil {
		return nil, err
	}
	media, err := listenUDP(p.addr.IP.String())
	if err != nil {
		return nil, err
	}
	c := &Call{phone: p, opt: o, law: l, media: media}
	c.ctx, c.cancel = context.WithCancelCause(context.Background())
	c.ear = newEar(l, o)
	c.mouth = newMouth(media, l, o.Quiet)
	return c, nil
}

// invite calls and waits for the answer.
func (c *Call) invite(ctx context.Context) error {
	req, err := c.inviteRequest()
	if err != nil {
		return err
	}
	c.work.Go(func() { c.ear.listen(c.media) })
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(c.ctx, func() { cancel(c.Err()) })() // the telephone is closed
	sent := time.Now()
	dialog, err := c.phone.dialogs.WriteInvite(ctx, req)
	if err != nil {
		return fmt.Errorf("sipphone: calling %s: %w", c.opt.To, err)
	}
	c.client = dialog
	if err := c.waitAnswer(ctx); err != nil {
		return err
	}
	c.answered(time.Since(sent))
	c.up.Store(true)
	if err := dialog.Ack(ctx); err != nil {
		return fmt.Errorf("sipphone: ACK: %w", err)
	}
	if err := c.talk(dialog.InviteResponse.Body()); err != nil {
		return errors.Join(err, c.Hangup(ctx))
	}
	return nil
}

func (c *Call) inviteRequest() (*sip.Request, error) {
	var to sip.Uri
	if err := sip.ParseUri(c.opt.To, &to); err != nil {
		return nil, fmt.Errorf("sipphone: %q: %w", c.opt.To, err)
	}
	host := c.phone.addr.IP.String()
	req := sip.NewRequest(sip.INVITE, to)
	from := &sip.FromHeader{DisplayName: c.opt.CallerID, Address: sip.Uri{Scheme: "sip", User: c.opt.CallerID, Host: host}}
	from.Params.Add("tag", sip.GenerateTagN(16))
	id := sip.CallIDHeader(c.id)
	req.AppendHeader(from)
	req.AppendHeader(&id)
	req.AppendHeader(sip.NewHeader("Content-Type", "application/sdp"))
	req.AppendHeader(sip.NewHeader("Allow", "INVITE, ACK, CANCEL, BYE, OPTIONS"))
	req.SetBody(c.sdp(c.law.payload, keyPayload))
	return req, nil
}

func (c *Call) sdp(payload, keys uint8) []byte {
	local := c.media.LocalAddr().(*net.UDPAddr).AddrPort()
	return sdpText(netip.AddrPortFrom(local.Addr().Unmap(), local.Port()), payload, keys)
}

// waitAnswer waits for the answer. When ctx ends first, the call is cancelled; but a side that said nothing at all
// cannot be sent a CANCEL (RFC 3261, 9.1), and is left alone.
func (c *Call) waitAnswer(ctx context.Context) error {
	var rings atomic.Bool
	waiting, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	defer cancel(nil)
	defer context.AfterFunc(ctx, func() {
		if rings.Load() {
			cancel(context.Cause(ctx))
		} else {
			cancel(sipgo.WaitAnswerForceCancelErr)
		}
	})()
	err := c.client.WaitAnswer(waiting, sipgo.AnswerOptions{Username: c.opt.User, Password: c.opt.Password,
		OnResponse: func(*sip.Response) error { rings.Store(true); return nil }})
	said, refused := errors.AsType[*sipgo.ErrDialogResponse](err)
	switch {
	case err == nil:
		return nil
	case refused:
		return &Refused{Code: said.Res.StatusCode, Reason: said.Res.Reason}
	case ctx.Err() != nil:
		return fmt.Errorf("sipphone: calling %s: %w", c.opt.To, context.Cause(ctx))
	}
	return fmt.Errorf("sipphone: calling %s: %w", c.opt.To, err)
}

// answered notes the answer; from here on the time of the call is counted.
func (c *Call) answered(after time.Duration) {
	c.mu.Lock()
	c.answer = after
	c.mu.Unlock()
	c.ear.begin(time.Now())
}

// talk begins to send to where the other side's description says.
func (c *Call) talk(description []byte) error {
	there, err := parseSDP(description)
	if err != nil {
		return err
	}
	if there.payload != c.law.payload {
		return fmt.Errorf("sipphone: the other side chose payload %d, not %d", there.payload, c.law.payload)
	}
	c.ear.setKeyPayload(there.keys)
	c.mouth.connect(there.addr, there.keys)
	c.work.Go(func() { c.mouth.run(c.ctx) })
	return nil
}

// end stops the call's goroutines. The first cause counts.
func (c *Call) end(cause error) {
	c.cancel(cause)
	_ = c.media.Close()
}

// wait returns when all goroutines of the call are gone.
func (c *Call) wait() {
	c.work.Wait()
	c.goodbye.Lock()
	defer c.goodbye.Unlock()
	c.phone.remove(c.id)
}

// Hangup ends the call and waits for everything that belongs to it. Further calls are no-ops and return the same.
// When the other side hung up before, it only cleans up.
func (c *Call) Hangup(ctx context.Context) error {
	c.hangup.Do(func() {
		if c.ctx.Err() == nil {
			c.hangupErr = c.sayGoodbye(ctx)
		}
		c.end(ErrEnded)
		c.wait()
		if c.ownPhone != nil {
			c.hangupErr = errors.Join(c.hangupErr, c.ownPhone.Close())
		}
	})
	return c.hangupErr
}

// sayGoodbye tells the other side. That it hung up at the same moment is no error.
func (c *Call) sayGoodbye(ctx context.Context) error {
	err := c.bye(ctx)
	said, answered := errors.AsType[sipgo.ErrDialogResponse](err)
	if errors.Is(c.Err(), ErrHungUp) || answered && said.Res.StatusCode == 481 {
		return nil
	}
	return err
}

// bye sends a BYE, even when ctx is over already.
func (c *Call) bye(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), byeTime)
	defer cancel()
	if c.server != nil {
		return c.server.Bye(ctx)
	}
	to := c.client.InviteRequest.Recipient
	if contact := c.client.InviteResponse.Contact(); contact != nil {
		to = contact.Address
	}
	req := sip.NewRequest(sip.BYE, to)
	req.Laddr = sip.Addr{IP: c.phone.addr.IP, Port: c.phone.addr.Port}
	return c.client.WriteBye(ctx, req)
}

// hungUp takes the other side's goodbye. The call is over before the confirmation leaves, so that Hangup does not say
// goodbye as well; and Hangup does not close the telephone before it has left.
func (c *Call) hungUp(req *sip.Request, tx sip.ServerTransaction) {
	c.goodbye.Lock()
	defer c.goodbye.Unlock()
	c.end(ErrHungUp)
	confirm := c.client.ReadBye
	if c.server != nil {
		confirm = c.server.ReadBye
	}
	if err := confirm(req, tx); err != nil {
		c.phone.log.Debug("a BYE that does not fit", "err", err)
	}
}

// Done is closed when the call is over, whoever ended it.
func (c *Call) Done() <-chan struct{} { return c.ctx.Done() }

// Err tells why the call is over: ErrHungUp, ErrEnded, or nil while it goes on.
func (c *Call) Err() error { return context.Cause(c.ctx) }

// Press sends keys: 0 to 9, *, #, A to D; a comma is a pause of half a second. It returns when the last one is sent.
func (c *Call) Press(ctx context.Context, keys string) error {
	events, err := parseKeys(keys)
	if err != nil {
		return err
	}
	return c.say(ctx, &utterance{keys: events})
}

// Caller is the number that is shown by the other side, who made the call; "" when we made it.
func (c *Call) Caller() string {
	if c.server == nil || c.server.InviteRequest.From() == nil {
		return ""
	}
	return c.server.InviteRequest.From().Address.User
}

// Began is the moment that the first sample of Heard stands for; zero before the answer.
func (c *Call) Began() time.Time { return c.ear.began() }

// LastKey is when the last key was let go, which is when the other side takes it; zero when none was.
func (c *Call) LastKey() time.Time {
	if at := c.mouth.letGo.Load(); at != 0 {
		return time.Unix(0, at)
	}
	return time.Time{}
}

// Speak plays a WAV file (8 kHz, PCM 16 bit) into the call, and returns when it is over.
func (c *Call) Speak(ctx context.Context, wavFile string) error {
	s, err := wav.Read(wavFile)
	if err != nil {
		return fmt.Errorf("sipphone: %w", err)
	}
	if s.Rate != Rate {
		return fmt.Errorf("sipphone: %s has %d Hz; %d are needed", wavFile, s.Rate, Rate)
	}
	return c.SpeakPCM(ctx, s.Samples)
}

// SpeakPCM plays 8 kHz samples into the call, and returns when they are over.
func (c *Call) SpeakPCM(ctx context.Context, samples []int16) error {
	return c.say(ctx, &utterance{audio: c.law.encode(samples)})
}

// say hands something to the mouth and waits until it is said.
func (c *Call) say(ctx context.Context, u *utterance) error {
	u.ctx, u.done = ctx, make(chan struct{})
	select {
	case c.mouth.queue <- u:
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-c.ctx.Done():
		return c.Err()
	}
	select {
	case <-u.done:
		return context.Cause(ctx) // nil unless it was broken off
	case <-c.ctx.Done():
		return c.Err()
	}
}

// Heard returns a copy of what was heard since the answer, at 8 kHz: sample n was to be heard n/8000 s after it. Where
// nothing came in there is silence.
func (c *Call) Heard() []int16 { return c.ear.heard() }

// SaveHeard writes what was heard as a WAV file.
func (c *Call) SaveHeard(path string) error {
	return wav.Write(path, wav.Sound{Rate: Rate, Samples: c.Heard()})
}

// Keys returns the keys that the other side pressed so far.
func (c *Call) Keys() string { return c.ear.pressed() }

// Stats tells how the call went so far.
func (c *Call) Stats() CallStats {
	s := c.ear.counted()
	c.mu.Lock()
	defer c.mu.Unlock()
	s.Answer = c.answer
	return s
}

// CallStats are the figures of one call.
type CallStats struct {
	Answer   time.Duration // from the INVITE to the 200
	FirstRTP time.Duration // from the 200 to the first sound packet; 0 when it came before, negative when none came
	Packets  int           // sound packets that came in
	Lost     int           // packets that are missing in their numbering
	// LargestGap is the longest time between two packets that follow each other without a pause of the sender's.
	LargestGap time.Duration
}
