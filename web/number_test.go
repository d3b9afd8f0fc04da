package web_test

import (
	"fmt"
	"strings"
	"testing"

	"hark/presence/presencetest"
	"hark/sessions"
)

// A user of ours who is on no list is written to by his number, once however often the form comes, and is in the inbox
// from then on.
func TestSendToNumber(t *testing.T) {
	d := open(t)
	b := d.browser(t, true)
	b.login()
	b.get("/new")
	b.send("Send", "number", "12a", "text", "Hello")
	b.says("This is no number.", "Hello")
	b.send("Send", "number", presencetest.Ana, "text", "Hello")
	b.says("This is your own number.")
	b.send("Send", "number", presencetest.Ben, "text", " ")
	b.says("There was nothing to send.")
	action, fields := b.send("Send", "number", "471 1002", "text", "Hello, are you there?")
	if want := presencetest.Ben; strings.ReplaceAll(fields.Get("number"), " ", "") != want {
		t.Fatalf("Ben's number is %s", want)
	}
	b.says("Sent. You see the name once you are answered.", "Hello, are you there?")
	if b.title() != presencetest.Ben {
		t.Errorf("before he has answered, the page is %q", b.title())
	}
	b.post(action, fields)
	b.says("Sent.")
	got, err := d.Store.Read(t.Context(), presencetest.Ben, sessions.Query{})
	if err != nil || len(got) != 1 || got[0].Body != "Hello, are you there?" {
		t.Errorf("Ben got %+v, %v", got, err)
	}
	b.follow("Inbox")
	b.says("You: Hello, are you there?")
	for _, as := range []string{"html", "xhtml", "wml", "hdml"} { // a voice browser has no keys for a text
		page, err := source(b, d.site.URL+"/new?as="+as)
		for from := 1; from < 9 && err == nil; from++ {
			var more string
			more, err = source(b, fmt.Sprint(d.site.URL, "/new?as=", as, "&from=", from))
			page += more
		}
		if err != nil || !strings.Contains(page, "/new/number") {
			t.Errorf("%s (%v) has no way to write to a number", as, err)
		}
	}
}
