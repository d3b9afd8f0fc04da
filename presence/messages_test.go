package presence_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hark/im"
	"hark/presence"
	"hark/presence/presencetest"
	"hark/presence/wire"
)

// The life of an inbound message: kept, acknowledged upstream, told, fetched, acknowledged by the client; and each kind
// of client has its own cursor.
func TestInbound(t *testing.T) {
	b := presencetest.New(t)
	b.XMPP.SetRoster(presencetest.AnaID, im.Contact{Address: xmpp("ben@example.org"), Name: "Ben"})
	phone, _ := b.Login(presencetest.Ana, presencetest.AnaPIN, "")
	web, _ := b.Login(presencetest.Ana, presencetest.AnaPIN, "web")
	b.Online(1)
	voice := im.Attachment{URL: "https://example.org/a", Type: "audio/mpeg", Seconds: 3, Waveform: []uint8{0, 50, 100}}
	b.XMPP.Deliver("ben@example.org", presencetest.AnaID, "one")
	b.XMPP.Deliver("ben@example.org", presencetest.AnaID, "two", voice)
	waitFor(t, phone, 2)
	waitFor(t, web, 2)
	b.Until("acknowledged upstream", func() bool { return b.XMPP.Counts().Unacked == 0 })

	reply, err := phone.Fetch(t.Context(), wire.FetchRequest{New: true})
	if err != nil || len(reply.Messages) != 2 || reply.Waiting != 2 || reply.Cursor != 0 {
		t.Fatalf("%+v, %v", reply, err)
	}
	two := reply.Messages[1]
	if two.Name != "Ben" || two.From != xmpp("ben@example.org") || two.Seq != 2 || two.State != "" {
		t.Errorf("%+v", two)
	}
	if diff := cmp.Diff([]im.Attachment{voice}, two.Attachments); diff != "" {
		t.Error(diff)
	}
	if err := phone.Ack(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	waitFor(t, phone, 1)
	if got, _ := bodies(t, phone); !slices.Equal(got, []string{"two"}) {
		t.Errorf("after ACK 1 the phone gets %q", got)
	}
	if got, _ := bodies(t, web); !slices.Equal(got, []string{"one", "two"}) {
		t.Errorf("the web gets %q", got)
	}
	if err := phone.Ack(t.Context(), 99); !presence.HasCode(err, wire.NotFound) {
		t.Errorf("ACK of what there is not: %v", err)
	}
}

func TestFetch(t *testing.T) {
	b := presencetest.New(t)
	client, _ := b.Login(presencetest.Ana, presencetest.AnaPIN, "")
	b.Online(1)
	for i := range 30 {
		b.XMPP.Deliver([]string{"ben@x", "carla@x"}[i%2], presencetest.AnaID, fmt.Sprintf("message %d", i+1))
	}
	waitFor(t, client, 30)
	for name, c := range map[string]struct {
		req  wire.FetchRequest
		want []int64
	}{
		"after":        {wire.FetchRequest{After: 17, Max: 2}, []int64{18, 19}},
		"before":       {wire.FetchRequest{Before: 10, Max: 2}, []int64{8, 9}},
		"search":       {wire.FetchRequest{Search: "MESSAGE 3"}, []int64{3, 30}},
		"conversation": {wire.FetchRequest{With: xmpp("ben@x"), After: 25}, []int64{27, 29}},
		"latest":       {wire.FetchRequest{Latest: true}, []int64{29, 30}},
		"nothing":      {wire.FetchRequest{After: 30}, nil},
	} {
		reply, err := client.Fetch(t.Context(), c.req)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		var got []int64
		for _, m := range reply.Messages {
			got = append(got, m.Seq)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, not %v", name, got, c.want)
		}
	}
	if reply, err := client.Fetch(t.Context(), wire.FetchRequest{}); err != nil || len(reply.Messages) != 20 {
		t.Errorf("%d messages, %v when none are named", len(reply.Messages), err)
	}
	reply, err := client.Fetch(t.Context(), wire.FetchRequest{New: true, Brief: true, Max: 1})
	if err != nil || len(reply.Messages) != 1 || reply.Messages[0].Body != "" || reply.Messages[0].From != xmpp("ben@x") || reply.Waiting != 30 {
		t.Errorf("in brief: %+v, %v", reply, err)
	}
}

// Messages of the greatest length come, whatever they are made of, as many as one frame holds.
func TestFetchLong(t *testing.T) {
	b := presencetest.New(t)
	client, _ := b.Login(presencetest.Ana, presencetest.AnaPIN, "")
	b.Online(1)
	evil := []string{strings.Repeat("\"", 40_000), strings.Repeat("\x01<", 20_000), strings.Repeat("\u2028", 9000), "\xff\xfe ü"}
	for _, body := range evil {
		b.XMPP.Deliver("eve@x", presencetest.AnaID, body)
	}
	waitFor(t, client, len(evil))
	want := []string{
		strings.Repeat("\"", im.MaxBody), strings.Repeat("<", im.MaxBody),
		strings.Repeat("\u2028", im.MaxBody/3), "\uFFFD ü",
	}
	var got []string
	for after := int64(0); len(got) < len(want); {
		reply, err := client.Fetch(t.Context(), wire.FetchRequest{After: after})
		if err != nil || len(reply.Messages) == 0 {
			t.Fatalf("after %d: %d messages, %v", after, len(reply.Messages), err)
		}
		for _, m := range reply.Messages {
			got, after = append(got, m.Body), m.Seq
		}
	}
	for i := range want {
		if got[i] != min(want[i], got[i]) || len(got[i]) == 0 || len(got[i]) > im.MaxBody {
			t.Errorf("message %d: %d bytes, wanted %d", i, len(got[i]), len(want[i]))
		}
	}
	last, err := client.Fetch(t.Context(), wire.FetchRequest{Before: 100})
	if n := len(last.Messages); err != nil || n == 0 || last.Messages[n-1].Seq != 4 {
		t.Errorf("the last ones: %d, %v", n, err)
	}
}

// What the network brings twice is kept once (F15).
func TestRedelivery(t *testing.T) {
	b := presencetest.New(t)
	client, _ := b.Login(presencetest.Ana, presencetest.AnaPIN, "")
	b.Online(1)
	var want []string
	for i := range 10 {
		want = append(want, fmt.Sprint(i))
		b.XMPP.Deliver("ben@x", presencetest.AnaID, want[i])
		b.XMPP.Again(presencetest.AnaID, 3)
	}
	waitFor(t, client, 10)
	b.Until("acknowledged upstream", func() bool { return b.XMPP.Counts().Unacked == 0 })
	if got, _ := bodies(t, client); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

// Nothing is acknowledged upstream before it is stored, whatever happens in between.
func TestNothingAcknowledgedBeforeStored(t *testing.T) {
	b, s := withStore(t)
	client, _ := b.Login(presencetest.Ana, presencetest.AnaPIN, "")
	b.Online(1)
	s.ill.Store(true)
	b.XMPP.Deliver("ben@x", presencetest.AnaID, "one")
	b.Until("tried twice", func() bool { return s.appends.Load() >= 2 })
	b.XMPP.Tell(presencetest.AnaID, im.Presence{From: xmpp("ben@x"), Show: im.Away})
	next[im.Presence](t, client, wire.Presence)
	if n := b.XMPP.Counts().Unacked; n != 1 {
		t.Fatalf("%d messages are unacknowledged while the store is ill", n)
	}
	if reply, err := client.Fetch(t.Context(), wire.FetchRequest{}); err != nil || len(reply.Messages) != 0 {
		t.Errorf("reading meanwhile: %v, %v", reply, err)
	}
	s.ill.Store(false)
	waitFor(t, client, 1)
	b.Until("acknowledged upstream", func() bool { return b.XMPP.Counts().Unacked == 0 })
}

// A server that is stopped while it cannot store loses nothing: the network brings it again.
func TestStopWhileTheStoreIsIll(t *testing.T) {
	b, s := withStore(t)
	client, reply := b.Login(presencetest.Ana, presencetest.AnaPIN, "")
	b.Online(1)
	s.ill.Store(true)
	b.XMPP.Deliver("ben@x", presencetest.AnaID, "one")
	b.Until("tried", func() bool { return s.appends.Load() >= 1 })
	client.Close()
	b.Stop()
	s.ill.Store(false)
	b.Start()
	again := b.Client()
	if _, err := again.Resume(t.Context(), wire.ResumeRequest{Session: reply.Session}); err != nil {
		t.Fatal(err)
	}
	b.Until("it is there", func() bool {
		got, _ := bodies(t, again)
		return slices.Equal(got, []string{"one"})
	})
}

func send(t *testing.T, c *presence.Client, id, to, body string) wire.SendReply {
	t.Helper()
	address, err := im.ParseAddress(to)
	if err != nil {
		t.Fatal(err)
	}
	reply, err := c.Send(t.Context(), wire.SendRequest{ID: id, To: address, Body: body})
	if err != nil {
		t.Fatalf("SEND %s: %v", id, err)
	}
	return reply
}

func TestSend(t *testing.T) {
	b := presencetest.New(t)
	client, _ := b.Login(presencetest.Ana, presencetest.AnaPIN, "")
	b.Online(1)
	if got, want := send(t, client, "m1", "xmpp:ben@x", "hello"), (wire.SendReply{Seq: 1, State: im.Sent}); got != want {
		t.Errorf("%+v", got)
	}
	if d := next[im.Delivery](t, client, wire.Delivery); d.ID != "m1" || d.State != im.Sent {
		t.Errorf("%+v", d)
	}
	if got := send(t, client, "m1", "xmpp:ben@x", "hello"); got.Seq != 1 || got.State != im.Sent {
		t.Errorf("the same again: %+v", got)
	}
	b.XMPP.Tell(presencetest.AnaID, im.Delivery{ID: "m1", State: im.Read})
	if d := next[im.Delivery](t, client, wire.Delivery); d.State != im.Read {
		t.Errorf("%+v", d)
	}
	if got := send(t, client, "m1", "xmpp:ben@x", "hello"); got.State != im.Read {
		t.Errorf("the same once more: %+v", got)
	}
	if got := send(t, client, "m2", "xmpp:ben@x", "refuse this"); got.State != im.Failed {
		t.Errorf("what the network refuses: %+v", got)
	}
	if got := b.XMPP.Received(); len(got) != 1 || got[0].Body != "hello" {
		t.Errorf("the network got %+v", got)
	}
	if n := b.XMPP.Counts().Repeated; n != 0 {
		t.Errorf("%d repeated", n)
	}
	reply, err := client.Fetch(t.Context(), wire.FetchRequest{With: xmpp("ben@x")})
	if err != nil || len(reply.Messages) != 2 || !reply.Messages[0].Outgoing || reply.Waiting != 0 {
		t.Fatalf("the conversation: %+v, %v", reply, err)
	}
	if m := reply.Messages[1]; m.State != im.Failed || m.Reason == "" || m.From != xmpp(presencetest.AnaID) {
		t.Errorf("%+v", m)
	}
}

// TestVoiceMessageIsWhole: all that is known of a recording goes with its link to the network, and into the log.
func TestVoiceMessageIsWhole(t *testing.T) {
	b := presencetest.New(t)
	client, _ := b.Login(presencetest.Ana, presencetest.AnaPIN, "")
	b.Online(1)
	voice := im.Attachment{URL: "https://im.example.org/a/x", Type: "audio/mpeg", Seconds: 3.1, Size: 12463, Title: "Voice message",
		Waveform: []uint8{0, 7, 100}}
	req := wire.SendRequest{ID: "v1", To: xmpp("ben@x"), Body: voice.URL, Attachments: []im.Attachment{voice}}
	if reply, err := client.Send(t.Context(), req); err != nil || reply.State != im.Sent {
		t.Fatalf("%+v, %v", reply, err)
	}
	got := b.XMPP.Received()
	if len(got) != 1 {
		t.Fatalf("the network got %+v", got)
	}
	if diff := cmp.Diff([]im.Attachment{voice}, got[0].Attachments); diff != "" {
		t.Error(diff)
	}
	reply, err := client.Fetch(t.Context(), wire.FetchRequest{With: xmpp("ben@x")})
	if err != nil || len(reply.Messages) != 1 {
		t.Fatalf("the conversation: %+v, %v", reply, err)
	}
	if diff := cmp.Diff([]im.Attachment{voice}, reply.Messages[0].Attachments); diff != "" {
		t.Error(diff)
	}
}

func TestSendRefused(t *testing.T) {
	b := presencetest.New(t)
	client, _ := b.Login(presencetest.Ana, presencetest.AnaPIN, "")
	b.Online(1)
	send(t, client, "used", "xmpp:ben@x", "first text")
	for name, c := range map[string]struct {
		req  wire.SendRequest
		code string
	}{
		"no id":            {wire.SendRequest{To: xmpp("b@x"), Body: "x"}, wire.Syntax},
		"no receiver":      {wire.SendRequest{ID: "1", Body: "x"}, wire.Syntax},
		"nothing in it":    {wire.SendRequest{ID: "1", To: xmpp("b@x")}, wire.Syntax},
		"control":          {wire.SendRequest{ID: "1", To: xmpp("b@x"), Body: "\x07"}, wire.Syntax},
		"a link of spaces": {wire.SendRequest{ID: "1", To: xmpp("b@x"), Attachments: []im.Attachment{{URL: "a b"}}}, wire.Syntax},
		"a peak of 101": {wire.SendRequest{ID: "1", To: xmpp("b@x"), Attachments: []im.Attachment{{URL: "a", Waveform: []uint8{101}}}},
			wire.Syntax},
		"too long":        {wire.SendRequest{ID: "1", To: xmpp("b@x"), Body: strings.Repeat("x", im.MaxBody+1)}, wire.TooLong},
		"no frame":        {wire.SendRequest{ID: "1", To: xmpp("b@x"), Body: strings.Repeat("x", wire.MaxFrame)}, wire.TooLong},
		"no such network": {wire.SendRequest{ID: "1", To: im.Address{Network: "telex", ID: "1"}, Body: "x"}, wire.NotFound},
		"the id of other": {wire.SendRequest{ID: "used", To: xmpp("ben@x"), Body: "second text"}, wire.Limit},
	} {
		client, _ := b.Login(presencetest.Ana, presencetest.AnaPIN, "") // a new one: BAD is counted
		if _, err := client.Send(t.Context(), c.req); !presence.HasCode(err, c.code) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got := b.XMPP.Received(); len(got) != 1 {
		t.Errorf("the network got %+v", got)
	}
}

// Hark users write to each other: to one who has a session, and to one who has none at the moment.
func TestHarkToHark(t *testing.T) {
	b := presencetest.New(t)
	ana, _ := b.Login(presencetest.Ana, presencetest.AnaPIN, "")
	if got := send(t, ana, "1", "hark:"+presencetest.Ben, "are you there?"); got.State == im.Failed {
		t.Errorf("%+v", got)
	}
	b.Until("kept for Ben", func() bool { w, _ := b.Store.Waiting(t.Context(), presencetest.Ben, "phone"); return w.Count == 1 })
	ben, reply := b.Login(presencetest.Ben, presencetest.BenPIN, "")
	if reply.Waiting != 1 {
		t.Errorf("%+v", reply)
	}
	send(t, ana, "2", "hark:"+presencetest.Ben, "hello")
	waitFor(t, ben, 2)
	got, err := ben.Fetch(t.Context(), wire.FetchRequest{New: true})
	if err != nil || len(got.Messages) != 2 || got.Messages[1].Name != "Ana" || got.Messages[1].From.ID != presencetest.Ana {
		t.Errorf("%+v, %v", got, err)
	}
}

// A copy of a message that went out through Hark itself is not kept twice; one that the user sent elsewhere is kept.
func TestCarbons(t *testing.T) {
	b := presencetest.New(t)
	client, _ := b.Login(presencetest.Ana, presencetest.AnaPIN, "")
	b.Online(1)
	send(t, client, "mine", "xmpp:ben@x", "from here")
	for _, id := range []string{"mine", "elsewhere"} {
		b.XMPP.Tell(presencetest.AnaID, im.Message{
			Origin: "archive/" + id, ID: id, From: xmpp(presencetest.AnaID), To: xmpp("ben@x"), Body: "from " + id, Outgoing: true,
		})
	}
	b.XMPP.Deliver("ben@x", presencetest.AnaID, "answer")
	waitFor(t, client, 1)
	reply, err := client.Fetch(t.Context(), wire.FetchRequest{})
	if err != nil || len(reply.Messages) != 3 || reply.Messages[1].Body != "from elsewhere" {
		t.Errorf("%+v, %v", reply.Messages, err)
	}
}
