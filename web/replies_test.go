package web_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"hark/im"
	"hark/presence/presencetest"
)

// What a message offers is one press: what its sender declared, or what its words number. Once it is answered, it offers
// nothing any more.
func TestOffered(t *testing.T) {
	d := open(t)
	b := d.browser(t, true)
	b.login()
	d.receive("What shall it be? 1) Pizza, 2) Pasta <bio>")
	b.get("/with/1")
	action, fields := b.send("Pasta <bio>")
	b.post(action, fields)
	if got := d.XMPP.Received(); len(got) != 1 || got[0].Body != "2" {
		t.Errorf("Ben got %+v", got)
	}
	if strings.Contains(b.source, `value="Pizza"`) {
		t.Error("an answered message still offers")
	}
	d.XMPP.DeliverMessage(ben.ID, presencetest.AnaID, im.Message{Body: "Coming?", Choices: []im.Choice{{Label: "Gladly", Body: "yes"}, {Label: "No", Body: "no"}}})
	d.Until("kept", func() bool { return d.XMPP.Counts().Unacked == 0 })
	b.get("/with/1")
	b.send("Gladly")
	if got := d.XMPP.Received(); len(got) != 2 || got[1].Body != "yes" {
		t.Errorf("Ben got %+v", got)
	}
}

// The same in every markup.
func TestOfferedInEveryMarkup(t *testing.T) {
	d := open(t)
	b := d.browser(t, true)
	b.login()
	d.receive("What shall it be? 1) Pizza, 2) Pasta")
	for _, as := range []string{"html", "xhtml", "wml", "hdml", "vxml"} {
		resp, err := b.client.Get(d.site.URL + "/with/1?as=" + as)
		if err != nil {
			t.Fatal(err)
		}
		page, err := io.ReadAll(resp.Body)
		if err := resp.Body.Close(); err != nil {
			t.Fatal(err)
		}
		if err != nil || resp.StatusCode != http.StatusOK || !strings.Contains(string(page), "Pasta") || strings.Count(string(page), "Pasta") < 2 {
			t.Errorf("%s (%v) offers no Pasta:\n%s", as, err, page)
		}
	}
}
