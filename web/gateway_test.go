package web_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"hark/im"
	"hark/presence/presencetest"
)

// A gateway is Debian's Kannel, a real WAP gateway, on a loopback address of its own: its ports cannot be chosen.
type gateway struct {
	address string
}

const kannelConf = `group = core
admin-port = %[2]d
admin-password = %[4]s
wapbox-port = %[3]d
box-allow-ip = 127.0.0.1
box-deny-ip = *.*.*.*
admin-allow-ip = 127.0.0.1
admin-deny-ip = *.*.*.*
wdp-interface-name = "%[1]s"
log-file = bearerbox.log
log-level = 1

group = wapbox
bearerbox-host = 127.0.0.1
log-file = wapbox.log
log-level = 1
`

// startGateway starts Kannel, waits until it passes a request on, and stops it with the test.
func startGateway(t *testing.T, probe string) *gateway {
	t.Helper()
	need(t, "kannel", "bearerbox", "wapbox")
	need(t, "libwbxml2-utils", "wbxml2xml")
	dir := t.TempDir()
	g := &gateway{address: fmt.Sprintf("127.%d.%d.%d", 1+rand.IntN(250), rand.IntN(250), 1+rand.IntN(250))}
	conf := filepath.Join(dir, "kannel.conf")
	text := fmt.Sprintf(kannelConf, g.address, freePort(t), freePort(t), fmt.Sprint(rand.Int64()))
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, dir, "bearerbox", conf)
	box := run(t, dir, "wapbox", conf)
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); {
		if reply, err := g.ask(get, probe, nil, 300*time.Millisecond); err == nil && reply.status == wspOK {
			return g
		}
		select {
		case <-box: // it came before bearerbox listened
			box = run(t, dir, "wapbox", conf)
		default:
		}
	}
	for _, name := range []string{"bearerbox.log", "wapbox.log"} {
		log, _ := os.ReadFile(filepath.Join(dir, name))
		t.Logf("%s:\n%s", name, log)
	}
	t.Fatal("the gateway does not answer")
	return nil
}

// need skips a test whose program is not installed.
func need(t testing.TB, debianPackage string, programs ...string) {
	t.Helper()
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			t.Skipf("%s is missing: apt-get install %s, or scripts/deps.sh", p, debianPackage)
		}
	}
}

// run starts a program that runs until the test ends; the channel is closed when it ends by itself.
func run(t *testing.T, dir, program string, args ...string) <-chan struct{} {
	t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Dir = dir
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() { defer close(done); cmd.Wait() }()
	t.Cleanup(func() { cmd.Process.Kill(); <-done })
	return done
}

func freePort(t *testing.T) int {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// What the tests need of WSP, connectionless (WAP-230, section 8 and appendix A): a method PDU and its reply in a datagram
// each.
const (
	wspPort  = "9200"
	get      = 0x40
	post     = 0x60
	wspReply = 0x04
	wspOK    = 0x20
	wspForm  = 0x92 // application/x-www-form-urlencoded
	wspWMLC  = 0x94 // application/vnd.wap.wmlc
)

// wspHeaders are Accept: application/vnd.wap.wmlc and the name of an old phone.
var wspHeaders = append([]byte{0x80, wspWMLC, 0xa9}, "Nokia7110/1.0 (04.67)\x00"...)

type wspAnswer struct {
	status byte
	body   []byte
}

// ask sends one request through the gateway.
func (g *gateway) ask(method byte, address string, form url.Values, patience time.Duration) (wspAnswer, error) {
	conn, err := net.Dial("udp", net.JoinHostPort(g.address, wspPort))
	if err != nil {
		return wspAnswer{}, err
	}
	defer conn.Close()
	request := append([]byte{1, method}, uintvar(len(address))...)
	if method == post {
		request = append(request, uintvar(1+len(wspHeaders))...)
		request = append(append(request, address...), wspForm)
		request = append(append(request, wspHeaders...), form.Encode()...)
	} else {
		request = append(append(request, address...), wspHeaders...)
	}
	if _, err := conn.Write(request); err != nil {
		return wspAnswer{}, err
	}
	conn.SetReadDeadline(time.Now().Add(patience))
	reply := make([]byte, 64<<10)
	n, err := conn.Read(reply)
	if err != nil {
		return wspAnswer{}, err
	}
	return readReply(reply[:n])
}

func readReply(b []byte) (wspAnswer, error) {
	if len(b) < 4 || b[1] != wspReply {
		return wspAnswer{}, fmt.Errorf("not a reply: % x", b)
	}
	length, rest := 0, b[3:]
	for more := true; more && len(rest) > 0; rest = rest[1:] {
		length, more = length<<7|int(rest[0]&0x7f), rest[0]&0x80 != 0
	}
	if length > len(rest) {
		return wspAnswer{}, errors.New("the headers are cut off")
	}
	return wspAnswer{status: b[2], body: rest[length:]}, nil
}

// uintvar writes a number as WSP does.
func uintvar(n int) []byte {
	b := []byte{byte(n & 0x7f)}
	for n >>= 7; n > 0; n >>= 7 {
		b = append([]byte{byte(n&0x7f) | 0x80}, b...)
	}
	return b
}

// A phone shows one deck at a time, as it came compiled through the gateway.
type phone struct {
	*testing.T
	gateway *gateway
	site    string
	deck    *node
	source  string // decoded
	wmlc    []byte // as it came
	largest int    // bytes of the largest compiled deck so far
	decks   int
}

// A node is an element of a deck.
type node struct {
	XMLName  xml.Name
	Attrs    []xml.Attr `xml:",any,attr"`
	Text     string     `xml:",chardata"`
	Children []*node    `xml:",any"`
}

func (n *node) attr(name string) string {
	for _, a := range n.Attrs {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

func (n *node) all(tag string) (list []*node) {
	for _, c := range n.Children {
		if c.XMLName.Local == tag {
			list = append(list, c)
		}
		list = append(list, c.all(tag)...)
	}
	return list
}

func (p *phone) do(method byte, href string, form url.Values) {
	p.Helper()
	var reply wspAnswer
	err := errors.New("not tried")
	for try := 0; try < 3 && err != nil; try++ {
		reply, err = p.gateway.ask(method, p.site+href, form, 5*time.Second)
	}
	if err != nil || reply.status != wspOK {
		p.Fatalf("%s: status %#x, %v", href, reply.status, err)
	}
	p.decks, p.wmlc = p.decks+1, reply.body
	p.largest = max(p.largest, len(reply.body))
	if len(reply.body) > 1300 {
		p.Errorf("%s: a deck of %d bytes", href, len(reply.body))
	}
	file := filepath.Join(p.TempDir(), "deck.wmlc")
	if err := os.WriteFile(file, reply.body, 0o600); err != nil {
		p.Fatal(err)
	}
	decoded, err := exec.Command("wbxml2xml", "-o", "-", file).Output()
	if err != nil {
		p.Fatalf("%s: not decoded: %v\n% x", href, err, reply.body)
	}
	p.source = string(decoded)
	dec := xml.NewDecoder(bytes.NewReader(decoded))
	dec.Strict = false
	p.deck = &node{}
	if err := dec.Decode(p.deck); err != nil {
		p.Fatalf("%s: %v\n%s", href, err, decoded)
	}
	wellFormed(p.T, p.source)
}

// pick goes where the line with these words leads.
func (p *phone) pick(words string) {
	p.Helper()
	for _, o := range p.deck.all("option") {
		if !strings.Contains(o.Text, words) {
			continue
		}
		if href := o.attr("onpick"); href != "" {
			p.do(get, href, nil)
		} else {
			p.submit(o, nil)
		}
		return
	}
	if strings.Contains(p.source, ">More<") && words != "More" {
		p.pick("More")
		p.pick(words)
		return
	}
	p.Fatalf("there is no line %q:\n%s", words, p.source)
}

// send fills in the form whose link has these words, and sends it. values are in the order of the fields.
func (p *phone) send(words string, values ...string) (action string, form url.Values) {
	p.Helper()
	for _, a := range p.deck.all("anchor") {
		if strings.Contains(a.Text, words) {
			return p.submit(a, values)
		}
	}
	p.Fatalf("there is no form %q:\n%s", words, p.source)
	return "", nil
}

func (p *phone) submit(n *node, values []string) (action string, form url.Values) {
	p.Helper()
	task := n.all("go")[0]
	form = url.Values{}
	for _, f := range task.all("postfield") {
		value := f.attr("value")
		if strings.HasPrefix(value, "$(") {
			value, values = values[0], values[1:]
		}
		form.Set(f.attr("name"), value)
	}
	action = task.attr("href")
	if task.attr("method") == "post" {
		p.do(post, action, form)
	} else {
		p.do(get, action+"?"+form.Encode(), nil)
	}
	return action, form
}

func (p *phone) says(words ...string) {
	p.Helper()
	all := p.title() + p.text()
	for _, w := range words {
		if !strings.Contains(all, w) {
			p.Errorf("the deck does not say %q:\n%s", w, p.source)
		}
	}
}

func (p *phone) title() string { return p.deck.all("card")[0].attr("title") }

// text is all that the deck shows. Compiled, a literal dollar is single: a variable is not text any more.
func (p *phone) text() string {
	dec := xml.NewDecoder(strings.NewReader(p.source))
	dec.Strict = false
	var b strings.Builder
	for {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) || err != nil {
			return b.String()
		}
		if c, ok := token.(xml.CharData); ok {
			b.Write(c)
		}
	}
}

// A phone of 1999 behind a real gateway: log in, read, answer, twice the same POST, what a message says stays text.
func TestGateway(t *testing.T) {
	d := open(t)
	g := startGateway(t, d.site.URL+"/")
	p := &phone{T: t, gateway: g, site: d.site.URL}
	p.do(get, "/", nil)
	p.says("Log in", "PIN")
	p.send("Log in", presencetest.Ana, "000000")
	p.says("I cannot check that")
	p.send("Log in", presencetest.Ana, presencetest.AnaPIN)
	p.says("Welcome, Ana", "No new messages")
	if p.deck.all("card")[0].attr("newcontext") != "true" {
		t.Errorf("the phone keeps the PIN:\n%s", p.source)
	}
	d.receive("Are you coming? It costs $5 or $(v1_1) & <more>", "Grüße, наконец, 你好")
	p.pick("Look again")
	p.pick("Ben (2)")
	p.says("It costs $5 or $(v1_1) & <more>", "Grüße, наконец, 你好")
	if !bytes.Contains(p.wmlc, []byte("or $(v1_1) & <more>")) {
		t.Errorf("a dollar in a message is a variable of the phone: %q", p.wmlc)
	}
	action, form := p.send("Send", "Yes, for $5: 你好 & <so>")
	p.says("Sent.")
	p.do(post, action, form)
	p.says("Sent.")
	if got := d.XMPP.Received(); len(got) != 1 || got[0].Body != "Yes, for $5: 你好 & <so>" {
		t.Errorf("Ben got %+v", got)
	}
	p.readAll(d, strings.Repeat("word & $(x) <b> ", 200))
	d.XMPP.Deliver(ben.ID, presencetest.AnaID, audioBase+"abc", im.Attachment{URL: audioBase + "abc", Type: "audio/mpeg", Seconds: 3})
	d.Until("kept", func() bool { return d.XMPP.Counts().Unacked == 0 })
	p.pick("Inbox")
	p.pick("Ben")
	p.crawl()
	p.do(get, "/", nil)
	p.send("Log in", presencetest.Ana, presencetest.AnaPIN)
	p.pick("Log out")
	p.says("ended")
	t.Logf("%d decks, the largest %d bytes", p.decks, p.largest)
}

// readAll has Ben send a long text and reads it deck by deck.
func (p *phone) readAll(d *door, long string) {
	p.Helper()
	d.receive(long)
	p.pick("Look again")
	p.pick("Inbox")
	p.pick("Ben")
	all := p.text()
	for strings.Contains(p.source, ">More<") {
		p.pick("More")
		all += p.text()
	}
	if n := strings.Count(all, "$(x)"); n != 200 {
		p.Errorf("of 200 words %d are shown", n)
	}
}

// crawl looks at everything that one page leads to, each with what it leads to from there.
func (p *phone) crawl() {
	p.Helper()
	seen := map[string]bool{}
	var queue []string
	for range 40 {
		for _, o := range p.deck.all("option") {
			words := strings.TrimSpace(o.Text)
			if o.attr("onpick") != "" && !seen[words] {
				seen[words] = true
				queue = append(queue, words)
			}
		}
		next := ""
		for _, o := range p.deck.all("option") {
			if words := strings.TrimSpace(o.Text); o.attr("onpick") != "" && slices.Contains(queue, words) {
				next = words
				break
			}
		}
		if next == "" {
			return
		}
		queue = slices.DeleteFunc(queue, func(w string) bool { return w == next })
		p.pick(next)
	}
}
