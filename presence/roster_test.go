package presence_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hark/im"
	"hark/presence"
	"hark/presence/presencetest"
	"hark/presence/wire"
)

// One list over all networks: online first, then by name; with numbers that stay whatever comes and goes.
func TestRoster(t *testing.T) {
	b := presencetest.New(t)
	b.XMPP.SetRoster(presencetest.AnaID,
		im.Contact{Address: xmpp("carla@x"), Name: "Carla"}, im.Contact{Address: xmpp("abel@x"), Name: "Abel"})
	client, _ := b.Login(presencetest.Ana, presencetest.AnaPIN, "")
	b.Online(1)
	rosterIs(t, b, client, "1 Abel offline; 2 Carla offline")

	b.XMPP.Tell(presencetest.AnaID, im.Presence{From: xmpp("carla@x"), Show: im.Away, Text: "lunch"})
	b.XMPP.Deliver("stranger@x", presencetest.AnaID, "hello")
	b.XMPP.Deliver("carla@x", presencetest.AnaID, "hello")
	b.XMPP.Deliver("carla@x", presencetest.AnaID, "again")
	ben, _ := b.Login(presencetest.Ben, presencetest.BenPIN, "")
	send(t, ben, "1", "hark:"+presencetest.Ana, "from Ben")
	rosterIs(t, b, client, "2 Carla away lunch +2; 1 Abel offline; 4 Ben offline +1; 3 stranger offline +1")

	// Abel is taken off the list and Bert comes: nobody's number changes, and Abel's is not given away.
	b.XMPP.SetRoster(presencetest.AnaID,
		im.Contact{Address: xmpp("carla@x"), Name: "Carla R."}, im.Contact{Address: xmpp("bert@x"), Name: "Bert"})
	if err := client.Ack(t.Context(), 3); err != nil {
		t.Fatal(err)
	}
	rosterIs(t, b, client, "2 Carla R. away lunch; 4 Ben offline +1; 5 Bert offline; 3 stranger offline")
	b.Stop()
	b.XMPP.SetRoster(presencetest.AnaID,
		im.Contact{Address: xmpp("carla@x"), Name: "Carla"}, im.Contact{Address: xmpp("abel@x"), Name: "Abel"})
	b.Start()
	client, _ = b.Login(presencetest.Ana, presencetest.AnaPIN, "")
	rosterIs(t, b, client, "1 Abel offline; 4 Ben offline +1; 2 Carla offline; 3 stranger offline")
}

// rosterIs waits until the roster reads so.
func rosterIs(t *testing.T, b *presencetest.Bed, c *presence.Client, want string) {
	t.Helper()
	var got string
	for range 400 {
		contacts, err := c.Roster(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var lines []string
		for _, p := range contacts {
			line := fmt.Sprint(p.Number, " ", p.Name, " ", p.Show)
			if p.Text != "" {
				line += " " + p.Text
			}
			if p.Unread > 0 {
				line += fmt.Sprint(" +", p.Unread)
			}
			lines = append(lines, line)
		}
		if got = strings.Join(lines, "; "); got == want {
			return
		}
	}
	t.Fatalf("the roster is\n%s, not\n%s", got, want)
}

func TestFacts(t *testing.T) {
	b := presencetest.New(t)
	phone, _ := b.Login(presencetest.Ana, presencetest.AnaPIN, "")
	web, _ := b.Login(presencetest.Ana, presencetest.AnaPIN, "web")
	ctx := t.Context()

	var none wire.PlaceValue
	if err := web.GetState(ctx, wire.Place, "", &none); err != nil || none != (wire.PlaceValue{}) {
		t.Errorf("no place: %+v, %v", none, err)
	}
	if err := phone.PutState(ctx, wire.Place, "", wire.PlaceValue{Seq: 41, MS: 7000}); err != nil {
		t.Fatal(err)
	}
	if err := phone.PutState(ctx, wire.Draft, "", wire.DraftValue{To: xmpp("ben@x"), Text: "half a"}); err != nil {
		t.Fatal(err)
	}
	if err := phone.PutState(ctx, wire.State, "quick-replies", []string{"yes", "no"}); err != nil {
		t.Fatal(err)
	}
	var place wire.PlaceValue
	var draft wire.DraftValue
	var replies []string
	for _, err := range []error{
		web.GetState(ctx, wire.Place, "", &place), web.GetState(ctx, wire.Draft, "", &draft),
		web.GetState(ctx, wire.State, "quick-replies", &replies),
	} {
		if err != nil {
			t.Error(err)
		}
	}
	if place != (wire.PlaceValue{Seq: 41, MS: 7000}) || draft.Text != "half a" || len(replies) != 2 {
		t.Errorf("%+v, %+v, %q", place, draft, replies)
	}
	if err := phone.PutState(ctx, wire.State, "speed", 125); err != nil {
		t.Fatal(err)
	}
	var speed, missing = 100, 7
	replies, place, draft = nil, wire.PlaceValue{}, wire.DraftValue{}
	several := map[string]any{"speed": &speed, "quick-replies": &replies, "missing": &missing, wire.Place: &place, wire.Draft: &draft}
	if err := web.GetStates(ctx, several); err != nil || speed != 125 || len(replies) != 2 || missing != 7 || place.MS != 7000 || draft.Text != "half a" {
		t.Errorf("several at once: %d, %q, %d, %+v, %+v, %v", speed, replies, missing, place, draft, err)
	}
	own := wire.StatusRequest{Show: im.Available}
	if err := web.GetStates(ctx, map[string]any{wire.Status: &own}); err != nil || own.Show != im.Available {
		t.Errorf("the status before any was set: %+v, %v", own, err)
	}
	if err := phone.Status(ctx, wire.StatusRequest{Show: im.Away, Text: "back at six"}); err != nil {
		t.Fatal(err)
	}
	if err := web.GetStates(ctx, map[string]any{wire.Status: &own, "speed": &speed}); err != nil || own != (wire.StatusRequest{Show: im.Away, Text: "back at six"}) {
		t.Errorf("the status as the telephone set it: %+v, %v", own, err)
	}
	if err := web.GetStates(ctx, map[string]any{"speed": &speed, "../contacts": &missing}); !presence.HasCode(err, wire.Syntax) {
		t.Errorf("a bad key among several: %v", err)
	}
	if err := web.DropState(ctx, wire.Draft, ""); err != nil {
		t.Fatal(err)
	}
	draft = wire.DraftValue{}
	if err := phone.GetState(ctx, wire.Draft, "", &draft); err != nil || draft.Text != "" {
		t.Errorf("after DROP: %+v, %v", draft, err)
	}
	if err := phone.PutState(ctx, wire.State, "big", strings.Repeat("x", 40_000)); !presence.HasCode(err, wire.TooLong) {
		t.Errorf("a big one: %v", err)
	}
	for _, key := range []string{"one", "two", "three"} {
		if err := phone.PutState(ctx, wire.State, key, strings.Repeat("x", 30_000)); err != nil {
			t.Fatal(err)
		}
	}
	var one, two, three string
	own = wire.StatusRequest{}
	if err := phone.GetStates(ctx, map[string]any{"one": &one, "two": &two, "three": &three, wire.Place: &place, wire.Status: &own}); err != nil || own.Show != im.Away || len(one)+len(two)+len(three) != 90_000 {
		t.Errorf("big ones together: %d letters, %v", len(one)+len(two)+len(three), err)
	}
	if err := phone.PutState(ctx, wire.State, "../contacts", 1); !presence.HasCode(err, wire.Syntax) {
		t.Errorf("a bad key: %v", err)
	}
}

func TestNetworks(t *testing.T) {
	b := presencetest.New(t)
	client, _ := b.Login(presencetest.Ana, presencetest.AnaPIN, "")
	var got []wire.ServiceEvent
	b.Until("both online", func() bool {
		var err error
		if got, err = client.Networks(t.Context()); err != nil {
			t.Fatal(err)
		}
		for i := range got {
			if got[i].State != "online" || got[i].Since.IsZero() {
				return false
			}
		}
		return true
	})
	for i := range got {
		got[i].Since = got[0].Since
	}
	want := []wire.ServiceEvent{
		{Network: im.Hark, Address: presencetest.Ana, State: "online", Since: got[0].Since},
		{Network: im.XMPP, Address: presencetest.AnaID, State: "online", Since: got[0].Since},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
