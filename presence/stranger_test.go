package presence_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"hark/im"
	"hark/presence/presencetest"
	"hark/presence/wire"
)

// However long what a stranger puts into the fields of a message, it can be fetched, and so can what comes after it.
func TestLongFields(t *testing.T) {
	b := presencetest.New(t)
	client, _ := b.Login(presencetest.Ana, presencetest.AnaPIN, "")
	b.Online(1)
	long := strings.Repeat("x", 100<<10)
	b.XMPP.DeliverMessage("eve@x", presencetest.AnaID, im.Message{
		Origin: "o" + long, ID: "i" + long, ReplyTo: "r" + long, Body: "long", Name: long,
		Attachments: []im.Attachment{{URL: "https://x/" + long, Type: long, Title: long}},
	})
	b.XMPP.Deliver("ben@x", presencetest.AnaID, "short")
	waitFor(t, client, 2)
	got, last := bodies(t, client)
	if len(got) == 1 {
		var more []string
		if err := client.Ack(t.Context(), last); err != nil {
			t.Fatal(err)
		}
		more, _ = bodies(t, client)
		got = append(got, more...)
	}
	if fmt.Sprint(got) != "[long short]" {
		t.Errorf("got %.200q", got)
	}
}

// The contacts can be listed however many strangers wrote, with however long addresses and names.
func TestManyLongAddresses(t *testing.T) {
	b := presencetest.New(t)
	client, _ := b.Login(presencetest.Ana, presencetest.AnaPIN, "")
	b.Online(1)
	b.XMPP.Deliver("ben@x", presencetest.AnaID, "hello")
	for i := range 40 {
		b.XMPP.Deliver(fmt.Sprint(i, strings.Repeat("y", 2000), "@x"), presencetest.AnaID, "hello")
	}
	for i := range 400 {
		from := fmt.Sprint(i, strings.Repeat("z", 240), "@x")
		b.XMPP.DeliverMessage(from, presencetest.AnaID, im.Message{Name: strings.Repeat("\"", 100), Body: "hello"})
	}
	waitFor(t, client, 441)
	for range 2 {
		contacts, err := client.Roster(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(contacts, func(c wire.Contact) bool { return c.Address == xmpp("ben@x") }) {
			t.Errorf("Ben is not among %d contacts", len(contacts))
		}
	}
}
