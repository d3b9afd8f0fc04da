package web_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"hark/im"
	"hark/presence/presencetest"
	"hark/presence/wire"
)

// TestDraftsAtSeveralDoors has browsers keep drafts while a telephone call does: each of them is there in the end.
func TestDraftsAtSeveralDoors(t *testing.T) {
	const browsers, each = 3, 5
	d := open(t)
	var keeping sync.WaitGroup
	for n := range browsers {
		b := d.browser(t, true)
		b.login()
		d.Online(1)
		keeping.Go(func() {
			for i := range each {
				b.get("/with/1")
				action, fields := b.form("Send")
				fields.Set("text", fmt.Sprintf("draft %d of browser %d", i, n))
				fields.Set("keep", "Keep as a draft")
				b.post(action, fields)
				b.says("Kept as a draft.")
			}
		})
	}
	phone, _ := d.Login(presencetest.Ana, presencetest.AnaPIN, "phone")
	var kept wire.Unsent
	for i := range each {
		spoken := wire.Unsent{ID: fmt.Sprint("spoken ", i), DraftValue: wire.DraftValue{To: ben, Audio: "rec", Seconds: 7}}
		err := phone.ChangeState(t.Context(), wire.Draft, "", &kept, func() any {
			return wire.UnsentFact(append([]wire.Unsent{spoken}, wire.WithoutUnsent(kept.List(), spoken.ID)...))
		})
		if err != nil {
			t.Error(err)
		}
	}
	keeping.Wait()
	kept = wire.Unsent{}
	if err := phone.GetState(t.Context(), wire.Draft, "", &kept); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, u := range kept.List() {
		got = append(got, u.ID+u.Text)
	}
	slices.Sort(got)
	if got = slices.Compact(got); len(got) != (browsers+1)*each {
		t.Errorf("%d drafts are kept: %q", len(got), got)
	}
}

// TestReadInTwoTabs reads two conversations at the same moment: nothing of either is new afterwards.
func TestReadInTwoTabs(t *testing.T) {
	d := open(t)
	carla := im.Address{Network: im.XMPP, ID: "carla@example.org"}
	d.XMPP.SetRoster(presencetest.AnaID, im.Contact{Address: ben, Name: "Ben"}, im.Contact{Address: carla, Name: "Carla"})
	one, two := d.browser(t, true), d.browser(t, true)
	one.login()
	two.login()
	for range 8 {
		d.XMPP.Deliver(carla.ID, presencetest.AnaID, "from Carla")
		d.receive("from Ben")
		one.get("/with/1")
		two.get("/with/2")
		var reading sync.WaitGroup
		reading.Go(func() { one.send("Seen") })
		reading.Go(func() { two.send("Seen") })
		reading.Wait()
		one.get("/inbox")
		if one.title() != "No new messages" {
			t.Fatalf("%s", one.title())
		}
	}
}
