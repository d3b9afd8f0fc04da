package web_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"hark/im"
	"hark/presence/presencetest"
	"hark/presence/wire"
)

// A search finds messages in both directions, and each leads to its place.
func TestSearch(t *testing.T) {
	d := open(t)
	b := d.browser(t, true)
	b.login()
	d.receive("the train at eight", "the bus")
	b.follow("Search")
	b.get("/search?words=train")
	b.says("the train at eight")
	if strings.Contains(text(b.page), "the bus") {
		t.Error("the bus is no train")
	}
	b.follow("Ben")
	b.says("the train at eight")
	b.get("/search?words=%3Cplane%3E")
	b.says("Nothing was found")
	for i := range 25 {
		d.receive(fmt.Sprintf("plane %d.", i))
	}
	b.get("/search?words=plane")
	b.says("These are the newest.", "plane 24.", "plane 5.")
	if strings.Contains(text(b.page), "plane 4.") {
		t.Error("more than the newest twenty")
	}
}

func TestFindSomebody(t *testing.T) {
	d := open(t)
	b := d.browser(t, true)
	b.login()
	d.Online(1)
	b.follow("New message")
	b.says("New message to")
	b.get("/new?name=bE")
	b.follow("Ben")
	b.send("Send", "text", "Hello!") // the first message to him
	b.says("Sent.")
	b.get("/people?name=zoe")
	b.says("nobody of that name")
}

// The user sets his own status, and sees his networks.
func TestYou(t *testing.T) {
	d := open(t)
	b := d.browser(t, true)
	b.login()
	d.Online(1)
	b.follow("You")
	b.says(presencetest.Ana, "XMPP (ana@example.org)", "connected since", "Others see you as online.")
	for button, want := range map[string]im.Show{"Busy": im.Busy, "Away": im.Away, "Invisible": im.Invisible, "Online": im.Available} {
		b.send("Be " + strings.ToLower(button))
		seen := "Others see you as " + strings.ToLower(button) + "."
		if want == im.Invisible {
			seen = "You are invisible to others."
		}
		b.says("Your status is set.", seen)
		d.Until(button, func() bool { return d.XMPP.Shown(presencetest.AnaID).Show == want })
	}
	b.post("/you/status", map[string][]string{"show": {"rich"}})
	if b.status != http.StatusBadRequest {
		t.Errorf("a status that there is not: %d", b.status)
	}
}

// A session number is told whenever it is asked for, and opens the session.
func TestSessionNumber(t *testing.T) {
	d := open(t)
	for _, cookies := range []bool{true, false} {
		b := d.browser(t, cookies)
		b.login()
		atLogin := sessionNumber.FindString(b.source)
		b.follow("You")
		b.send("Session number")
		b.says("To go on by telephone, call +49 30 7000, press star, and key it.")
		told := sessionNumber.FindString(b.source)
		if told == "" || told == atLogin {
			t.Errorf("%q is told, at the login it was %q", told, atLogin)
		}
		other := d.browser(t, true)
		other.send("Go on", "code", told, "pin", presencetest.AnaPIN)
		other.says("Welcome, Ana")
	}
}

// Quick replies are one press each; a reload sends nothing again.
func TestQuickReplies(t *testing.T) {
	d := open(t)
	b := d.browser(t, true)
	b.login()
	d.receive("Are you coming?")
	b.get("/you")
	b.send("Keep these", "replies", "Yes\r\n\r\nNo, $5 & <more>\r\nYes\r\n3\r\n4\r\n5\r\n6")
	b.says("only the first five")
	b.get("/with/1")
	action, fields := b.send("No, $5 & <more>")
	b.post(action, fields)
	if got := d.XMPP.Received(); len(got) != 1 || got[0].Body != "No, $5 & <more>" {
		t.Errorf("Ben got %+v", got)
	}
	if strings.Contains(b.source, `value="6"`) {
		t.Error("six quick replies")
	}
}

// A draft is kept, sent once however often its form comes, or dropped; the telephone's drafts stay as they are.
func TestDrafts(t *testing.T) {
	d := open(t)
	b := d.browser(t, true)
	b.login()
	d.Online(1)
	phone, _ := d.Login(presencetest.Ana, presencetest.AnaPIN, "phone")
	spoken := map[string]any{"to": ben, "audio": "rec1", "seconds": 7.0, "made": "2026-11-23T08:00:00Z", "id": "m1", "part": true, "lost": 2}
	if err := phone.PutState(t.Context(), wire.Draft, "", spoken); err != nil {
		t.Fatal(err)
	}
	b.get("/with/1")
	action, fields := b.form("Send")
	fields.Set("text", "half a thought")
	fields.Set("keep", "Keep as a draft")
	b.post(action, fields)
	b.post(action, fields)
	b.says("Kept as a draft.")
	b.get("/inbox")
	b.follow("Drafts (2)")
	b.says("half a thought", "A recording of 7 s", "the oldest were dropped (2)")
	action, fields = b.send("Send 1")
	b.says("Sent.")
	b.post(action, fields)
	b.says("not there any more")
	if got := d.XMPP.Received(); len(got) != 1 || got[0].Body != "half a thought" {
		t.Errorf("Ben got %+v", got)
	}
	var left json.RawMessage
	if err := phone.GetState(t.Context(), wire.Draft, "", &left); err != nil || !strings.Contains(string(left), `"part":true`) {
		t.Errorf("the telephone's draft is %s, %v", left, err)
	}
}

// What does not fit among the drafts stays in the form, and leaves room for a recording that the telephone has to keep.
func TestLongDraft(t *testing.T) {
	d := open(t)
	b := d.browser(t, true)
	b.login()
	d.Online(1)
	b.get("/with/1")
	action, fields := b.form("Send")
	long := strings.Repeat("long ", 4000)
	fields.Set("text", long)
	fields.Set("keep", "Keep as a draft")
	b.post(action, fields)
	b.says("Kept as a draft.")
	action, fields = b.form("Send")
	fields.Set("text", long+"and more")
	fields.Set("keep", "Keep as a draft")
	b.post(action, fields)
	b.says("no room")
	if _, again := b.form("Send"); again.Get("text") != long+"and more" {
		t.Errorf("%d bytes are left in the form", len(again.Get("text")))
	}
}

// Who hung up in the middle of a message goes on there in the browser, and the other way round.
func TestGoOn(t *testing.T) {
	d := open(t)
	b := d.browser(t, true)
	b.login()
	d.Online(1)
	d.XMPP.Deliver(ben.ID, presencetest.AnaID, audioBase+"abc", im.Attachment{URL: audioBase + "abc", Type: "audio/mpeg", Seconds: 30})
	d.receive("and a text")
	phone, _ := d.Login(presencetest.Ana, presencetest.AnaPIN, "phone")
	heard, err := phone.Fetch(t.Context(), wire.FetchRequest{Max: 1})
	if err != nil || len(heard.Messages) != 1 {
		t.Fatal(heard, err)
	}
	place := wire.PlaceValue{Seq: heard.Messages[0].Seq, MS: 7200}
	if err := phone.PutState(t.Context(), wire.Place, "", place); err != nil {
		t.Fatal(err)
	}
	b.follow("Look again")
	b.follow("Go on where you stopped: Ben")
	if players := b.all("audio"); len(players) != 1 || attr(players[0], "src") != audioBase+"abc#t=7.2" {
		t.Errorf("the player is %+v", b.source)
	}
	b.says("go on at 0:07")
	b.get(b.at.RequestURI() + "&as=wml")
	b.says("Voice message, 30 s, go on at 0:07")
	b.get(strings.TrimSuffix(b.at.RequestURI(), "&as=wml"))
	b.post("/place", map[string][]string{"seq": {attr(b.all("audio")[0], "data-seq")}, "ms": {"12000"}})
	if b.status != http.StatusNoContent {
		t.Errorf("%d %s", b.status, b.source)
	}
	if err := phone.GetState(context.Background(), wire.Place, "", &place); err != nil || place.MS != 12000 || place.Seq != heard.Messages[0].Seq {
		t.Errorf("the telephone goes on at %+v, %v", place, err)
	}
}

// A conversation says on what day it was, once for each day.
func TestDays(t *testing.T) {
	d := open(t)
	b := d.browser(t, true)
	b.login()
	d.receive("One", "Two")
	b.get("/with/1")
	if days := strings.Count(b.source, `<li class="day">Today</li>`); days != 1 {
		t.Errorf("today is named %d times:\n%s", days, b.source)
	}
}
