package fetch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// The errors of Do; a *StatusError is another.
var (
	// ErrForbidden means that the URL is outside of the allowed bases.
	ErrForbidden = errors.New("fetch: not an allowed base")
	// ErrTooLarge means that there was more than the limit.
	ErrTooLarge = errors.New("fetch: too large")
	// ErrRedirects means that the server sent us from one place to another too often.
	ErrRedirects = errors.New("fetch: too many redirects")
)

// A StatusError is an answer that is no success.
type StatusError struct{ Code int }

func (e *StatusError) Error() string { return fmt.Sprintf("fetch: HTTP status %d", e.Code) }

// Options say what a Client may do. A zero field has the default that its comment names.
type Options struct {
	// Allow lists the bases, such as "https://host/apps/" or "file:///srv/apps/". Nothing is fetched from elsewhere.
	Allow        []string
	Transport    http.RoundTripper // nil is a transport of the client's own, without a proxy
	Timeout      time.Duration     // of one request: 10 s
	MaxSize      int64             // of one answer, unless the request says so: 256 KiB
	MaxRedirects int               // 5; negative allows none
	CacheSize    int64             // bytes in the cache: 16 MiB
	Now          func() time.Time  // nil is time.Now
}

func (o Options) withDefaults() Options {
	if o.Timeout == 0 {
		o.Timeout = 10 * time.Second
	}
	if o.MaxSize == 0 {
		o.MaxSize = 256 << 10
	}
	if o.MaxRedirects == 0 {
		o.MaxRedirects = 5
	}
	if o.CacheSize == 0 {
		o.CacheSize = 16 << 20
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

// A Client fetches. It may be used by any number of goroutines.
type Client struct {
	opt   Options
	bases []*url.URL
	http  *http.Transport // ours, or nil
	trip  http.RoundTripper
	cache *cache
}

// New makes a client. It returns an error for a base that is none.
func New(o Options) (*Client, error) {
	c := &Client{opt: o.withDefaults(), trip: o.Transport}
	for _, b := range o.Allow {
		u, err := base(b)
		if err != nil {
			return nil, err
		}
		c.bases = append(c.bases, u)
	}
	if c.trip == nil {
		c.http = &http.Transport{MaxIdleConnsPerHost: 16, IdleConnTimeout: 30 * time.Second, ForceAttemptHTTP2: true}
		c.trip = c.http
	}
	c.cache = newCache(c.opt.CacheSize)
	return c, nil
}

// Close lets go of connections that wait for the next request.
func (c *Client) Close() {
	if c.http != nil {
		c.http.CloseIdleConnections()
	}
}

// A Request says what to fetch.
type Request struct {
	URL      string // absolute
	Method   string // "" is GET
	Body     []byte
	Type     string         // of the body
	MaxAge   *time.Duration // the oldest that may come out of the cache; nil is no limit
	MaxStale *time.Duration // how long it may be past its time; nil is not at all
	Timeout  time.Duration  // 0 is the client's
	MaxSize  int64          // 0 is the client's
	Jar      http.CookieJar // of the call; nil sends no cookies
}

// A Response is what was fetched. It is shared with the cache: nobody may change it.
type Response struct {
	URL  string // where it was in the end, without a fragment
	Type string // media type as the server said it, or ""
	Body []byte
}

// Do fetches.
func (c *Client) Do(ctx context.Context, r Request) (*Response, error) {
	u, err := url.Parse(r.URL)
	if err != nil {
		return nil, fmt.Errorf("fetch: %w", err)
	}
	u.Fragment = ""
	if !c.allowed(u) {
		return nil, fmt.Errorf("%w: %s", ErrForbidden, u.Redacted())
	}
	if r.MaxSize == 0 {
		r.MaxSize = c.opt.MaxSize
	}
	if r.Timeout == 0 {
		r.Timeout = c.opt.Timeout
	}
	if u.Scheme == "file" {
		return c.file(u, r)
	}
	ctx, cancel := context.WithTimeout(ctx, r.Timeout)
	defer cancel()
	out, err := c.overHTTP(ctx, u, r)
	if err != nil && ctx.Err() != nil {
		return nil, errors.Join(context.Cause(ctx), err)
	}
	return out, err
}

func (c *Client) overHTTP(ctx context.Context, u *url.URL, r Request) (*Response, error) {
	req, err := c.request(ctx, u, r)
	if err != nil {
		return nil, err
	}
	if req.Method != http.MethodGet {
		out, err := c.send(req, r)
		c.cache.drop(u.String())
		return out.response(), err
	}
	return c.cached(req, r)
}

// accept is what a voice browser wants, the same for all that it fetches: a site that speaks several languages knows by it.
const accept = "application/voicexml+xml, application/srgs+xml, application/srgs, application/xml;q=0.9, audio/*;q=0.9, */*;q=0.5"

func (c *Client) request(ctx context.Context, u *url.URL, r Request) (*http.Request, error) {
	method := r.Method
	if method == "" {
		method = http.MethodGet
	}
	var body io.Reader
	if method != http.MethodGet {
		body = bytes.NewReader(r.Body)
	}
	req, err := http.NewRequestWithContext(ctx, method, u.String(), body)
	if err != nil {
		return nil, fmt.Errorf("fetch: %w", err)
	}
	if r.Type != "" {
		req.Header.Set("Content-Type", r.Type)
	}
	req.Header.Set("User-Agent", "Hark-VoiceXML/2.1")
	req.Header.Set("Accept", accept)
	return req, nil
}

// send makes one exchange with the server, redirects included. The entry has the answer's headers also when the status
// is 304.
func (c *Client) send(req *http.Request, r Request) (*entry, error) {
	hc := http.Client{Transport: c.trip, Jar: r.Jar, CheckRedirect: c.redirect}
	asked := c.opt.Now()
	resp, err := hc.Do(req)
	if err != nil {
		return nil, fmt.Errorf("fetch: %w", unwrapURL(err))
	}
	defer resp.Body.Close()
	e := &entry{header: resp.Header, asked: asked, came: c.opt.Now()}
	if resp.StatusCode == http.StatusNotModified {
		return e, &StatusError{resp.StatusCode}
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, r.MaxSize+1))
	if err != nil {
		return nil, fmt.Errorf("fetch: %w", err)
	}
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return nil, &StatusError{resp.StatusCode}
	}
	if int64(len(body)) > r.MaxSize {
		return nil, ErrTooLarge
	}
	e.out = &Response{URL: withoutFragment(resp.Request.URL), Type: resp.Header.Get("Content-Type"), Body: body}
	return e, nil
}

// unwrapURL takes the URL, which may hold what a caller keyed, out of an error.
func unwrapURL(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

func withoutFragment(u *url.URL) string {
	s, _, _ := strings.Cut(u.String(), "#")
	return s
}

// redirect is asked before a redirect is followed.
func (c *Client) redirect(req *http.Request, via []*http.Request) error {
	if len(via) > c.opt.MaxRedirects {
		return ErrRedirects
	}
	if !c.allowed(req.URL) || req.URL.Scheme == "file" {
		return ErrForbidden
	}
	return nil
}
