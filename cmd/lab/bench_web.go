package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"time"

	"golang.org/x/sync/errgroup"

	"hark/im"
	"hark/internal/testbed"
	"hark/presence"
	"hark/presence/wire"
)

const (
	webClients  = 200  // who look at pages, each in a session of his own
	webSessions = 1000 // more, which only are there
	webMessages = 10   // in each conversation, as many as may be sent at once
	webRate     = 500  // pages a second, all clients together
	webPageAim  = 10 * time.Millisecond
	webBytesAim = 14 << 10
)

// A webBench is the web door with users who are logged in there, and what they are served beside.
type webBench struct {
	*system
	nginx   *testbed.Nginx
	clients []webClient
}

// A webClient is a browser with a cookie.
type webClient struct {
	http   *http.Client
	site   string
	cookie string
	with   string // the page of the conversation
}

// measureWeb measures the pages of the web door under 200 clients, beside the same pages as files of nginx and beside
// Prosody's polling over HTTP; their size; and the memory of sessions that were opened there.
func measureWeb(ctx context.Context, l *lab) (figures []figure, err error) {
	logins := map[string]string{}
	for i := range webClients {
		logins[xmppName(i)] = "password of " + xmppName(i)
	}
	s, err := l.startWith(ctx, setup{prosody: &testbed.ProsodyOptions{Users: logins, BOSH: true, LogLevel: "info"}})
	if err != nil {
		return nil, err
	}
	b := &webBench{system: s}
	defer func() { err = errors.Join(err, s.stop()) }()
	if b.nginx, err = testbed.StartNginx(ctx); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, b.nginx.Discard()) }()
	users, err := b.addUsers(ctx, webClients+webSessions, nil)
	if err != nil {
		return nil, err
	}
	if err := b.startHark(ctx); err != nil {
		return nil, err
	}
	l.tell("web: %d users log in and write to each other", webClients)
	if err := b.prepare(ctx, users[:webClients]); err != nil {
		return nil, err
	}
	l.tell("web: %d more sessions", webSessions)
	memory, err := b.measureMemory(ctx, users)
	if err != nil {
		return nil, err
	}
	for _, page := range []struct{ name, path, markup string }{
		{"inbox", "/inbox", "html"}, {"conversation", "", "html"}, {"WML deck", "", "wml"},
	} {
		l.tell("web: %s", page.name)
		of, err := b.page(ctx, page.name, page.path, page.markup)
		if err != nil {
			return figures, err
		}
		figures = append(figures, of...)
	}
	l.tell("web: polls over HTTP at Prosody")
	polls, err := measureBOSH(ctx, s.prosody, logins)
	return append(append(figures, polls...), memory...), err
}

// prepare logs everybody in, has each write to the next one, and finds the page with what was written.
func (b *webBench) prepare(ctx context.Context, users []user) (err error) {
	if b.clients, err = b.loginAtWeb(ctx, users); err != nil {
		return err
	}
	if err := b.write(ctx, users); err != nil {
		return err
	}
	for i := range b.clients {
		if err := b.clients[i].findConversation(ctx); err != nil {
			return err
		}
	}
	return nil
}

// loginAtWeb logs users in by the page, as browsers with cookies.
func (b *webBench) loginAtWeb(ctx context.Context, users []user) ([]webClient, error) {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: webClients, DisableCompression: true}}
	clients := make([]webClient, len(users))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(loginsAtOnce)
	for i, u := range users {
		group.Go(func() (err error) {
			clients[i] = webClient{http: client, site: "http://" + b.web}
			clients[i].cookie, err = clients[i].login(ctx, u)
			return err
		})
	}
	return clients, group.Wait()
}

// write has each user write to the next one.
func (b *webBench) write(ctx context.Context, users []user) error {
	dialer := &presence.Dialer{Home: "hark://" + b.presence}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(loginsAtOnce)
	for i, u := range users {
		to := im.Address{Network: im.Hark, ID: users[(i+1)%len(users)].Number}
		group.Go(func() error {
			client, _, err := dialer.Login(ctx, wire.LoginRequest{User: u.Number, PIN: u.PIN, Client: "phone"})
			if err != nil {
				return err
			}
			defer client.Close()
			for n := range webMessages {
				text := fmt.Sprintf("Message %d: are you coming at eight, or at nine? Ben brings the tickets, and Carla the cake.", n)
				if _, err := client.Send(ctx, wire.SendRequest{ID: fmt.Sprint(u.Number, "-", n), To: to, Body: text}); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return group.Wait()
}

// page measures one page, and the same as a file of nginx.
func (b *webBench) page(ctx context.Context, name, path, markup string) ([]figure, error) {
	address := func(c webClient) string {
		if path != "" {
			return path + "?as=" + markup
		}
		return c.with + "?as=" + markup
	}
	text, err := b.clients[0].get(ctx, address(b.clients[0]))
	if err != nil {
		return nil, err
	}
	file := "page." + markup
	if err := os.WriteFile(filepath.Join(b.nginx.Dir, file), text, 0o600); err != nil {
		return nil, err
	}
	ours, err := putLoad(ctx, webClients, webRate, func(ctx context.Context, i int) error {
		_, err := b.clients[i].get(ctx, address(b.clients[i]))
		return err
	})
	if err != nil {
		return nil, err
	}
	static := b.clients[0]
	static.site = b.nginx.URL
	theirs, err := putLoad(ctx, webClients, webRate, func(ctx context.Context, _ int) error {
		_, err := static.get(ctx, file)
		return err
	})
	if err != nil {
		return nil, err
	}
	bytes := measured(fmt.Sprintf("web: %s, size", name), "%s", kib(int64(len(text))))
	if markup == "html" {
		bytes = bytes.against("≤ "+kib(webBytesAim), len(text) <= webBytesAim)
	}
	return append(loadFigures("web: "+name, ours, fmt.Sprintf(" (the same as a file of nginx: %.0f, %s ms)", theirs.most, ms(theirs.p99)), webPageAim), bytes), nil
}

// measureMemory opens more sessions by the page and tells what they take.
func (b *webBench) measureMemory(ctx context.Context, users []user) ([]figure, error) {
	before, err := b.memory(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := b.loginAtWeb(ctx, users[webClients:]); err != nil {
		return nil, err
	}
	after, err := b.memory(ctx)
	return []figure{measured(fmt.Sprintf("web: memory of %d sessions opened by the page", webSessions), "%.1f MiB", float64(after.hark-before.hark)/(1<<20))}, err
}

var conversationLink = regexp.MustCompile(`href="(/with/\d+)\?`)

// findConversation looks in the inbox for whom there is something from.
func (c *webClient) findConversation(ctx context.Context) error {
	page, err := c.get(ctx, "/inbox?as=xhtml")
	if err != nil {
		return err
	}
	link := conversationLink.FindSubmatch(page)
	if link == nil {
		return fmt.Errorf("nobody is in the inbox:\n%s", page)
	}
	c.with = string(link[1])
	return nil
}
