package fetch

import (
	"container/list"
	"errors"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// An entry is an answer in the cache. It is not changed: a revalidation makes a new one.
type entry struct {
	out    *Response
	header http.Header
	asked  time.Time // when it was asked for
	came   time.Time // when it came
}

func (e *entry) response() *Response {
	if e == nil {
		return nil
	}
	return e.out
}

// A cache holds answers by their URL, the least used ones last. It is a shared cache in the sense of RFC 9111: its calls
// are those of many people.
type cache struct {
	mu    sync.Mutex
	size  int64
	max   int64
	order *list.List // of *slot
	slots map[string]*list.Element
}

type slot struct {
	url   string
	entry *entry
}

func newCache(max int64) *cache {
	return &cache{max: max, order: list.New(), slots: map[string]*list.Element{}}
}

func (c *cache) get(url string) *entry {
	c.mu.Lock()
	defer c.mu.Unlock()
	el := c.slots[url]
	if el == nil {
		return nil
	}
	c.order.MoveToFront(el)
	return el.Value.(*slot).entry
}

func (c *cache) put(url string, e *entry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.remove(url)
	if int64(len(e.out.Body)) > c.max/4 {
		return
	}
	c.slots[url] = c.order.PushFront(&slot{url, e})
	c.size += int64(len(e.out.Body))
	for c.size > c.max {
		c.remove(c.order.Back().Value.(*slot).url)
	}
}

func (c *cache) drop(url string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.remove(url)
}

// remove takes an entry out. The caller holds the lock.
func (c *cache) remove(url string) {
	if el := c.slots[url]; el != nil {
		c.order.Remove(el)
		delete(c.slots, url)
		c.size -= int64(len(el.Value.(*slot).entry.out.Body))
	}
}

// cached answers a GET from the cache, or asks the server and keeps what it says.
func (c *Client) cached(req *http.Request, r Request) (*Response, error) {
	key := req.URL.String()
	personal := r.Jar != nil && len(r.Jar.Cookies(req.URL)) > 0
	old := c.cache.get(key)
	if old != nil && personal && !old.directives().has("public") {
		old = nil
	}
	if old != nil && old.usable(r, c.opt.Now()) {
		return old.out, nil
	}
	if old != nil {
		old.ask(req)
	}
	e, err := c.send(req, r)
	var status *StatusError
	if old != nil && errors.As(err, &status) && status.Code == http.StatusNotModified {
		e, err = old.renewed(e), nil
	}
	if err != nil {
		return nil, err
	}
	if e.storable(personal) {
		c.cache.put(key, e)
	} else {
		c.cache.drop(key)
	}
	return e.out, nil
}

// directives are the parts of a Cache-Control header.
type directives map[string]string

func (d directives) has(name string) bool { _, ok := d[name]; return ok }

func (e *entry) directives() directives {
	d := directives{}
	for part := range strings.SplitSeq(strings.Join(e.header.Values("Cache-Control"), ","), ",") {
		k, v, _ := strings.Cut(strings.TrimSpace(part), "=")
		if k != "" {
			d[strings.ToLower(k)] = strings.Trim(v, `"`)
		}
	}
	return d
}

// seconds reads a directive that is a number of seconds. One that cannot be read is 0, which is the careful reading.
func (d directives) seconds(name string) (time.Duration, bool) {
	v, ok := d[name]
	if !ok {
		return 0, false
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < 0 {
		n = 0
	}
	return time.Duration(min(n, 1<<31)) * time.Second, true
}

// storable tells whether an answer may be kept (RFC 9111, section 3). personal is an answer to somebody's cookie.
func (e *entry) storable(personal bool) bool {
	d := e.directives()
	if d.has("no-store") || d.has("private") || e.header.Get("Vary") == "*" {
		return false
	}
	for name := range strings.SplitSeq(e.header.Get("Vary"), ",") {
		// All our requests are alike but for their cookies.
		if strings.EqualFold(strings.TrimSpace(name), "Cookie") {
			return false
		}
	}
	if personal && !d.has("public") {
		return false
	}
	return e.lifetime() > 0 || e.header.Get("ETag") != "" || e.header.Get("Last-Modified") != ""
}

// maxGuess bounds the time that is guessed when the server names none.
const maxGuess = 24 * time.Hour

// lifetime is how long an answer is fresh (section 4.2.1).
func (e *entry) lifetime() time.Duration {
	d := e.directives()
	for _, name := range []string{"s-maxage", "max-age"} {
		if t, ok := d.seconds(name); ok {
			return t
		}
	}
	date := e.date()
	if v := e.header.Get("Expires"); v != "" {
		t, err := http.ParseTime(v)
		if err != nil {
			return 0
		}
		return t.Sub(date)
	}
	if t, err := http.ParseTime(e.header.Get("Last-Modified")); err == nil {
		return min(max(0, date.Sub(t)/10), maxGuess)
	}
	return 0
}

func (e *entry) date() time.Time {
	if t, err := http.ParseTime(e.header.Get("Date")); err == nil {
		return t
	}
	return e.came
}

// age is how old an answer is (section 4.2.3).
func (e *entry) age(now time.Time) time.Duration {
	apparent := max(0, e.came.Sub(e.date()))
	var told time.Duration
	if n, err := strconv.Atoi(e.header.Get("Age")); err == nil && n > 0 {
		told = time.Duration(min(n, 1<<31)) * time.Second
	}
	return max(apparent, told+e.came.Sub(e.asked)) + now.Sub(e.came)
}

// usable tells whether an answer may be given without asking the server (section 4.2.4, 5.2.1).
func (e *entry) usable(r Request, now time.Time) bool {
	d := e.directives()
	if d.has("no-cache") || strings.Contains(e.header.Get("Pragma"), "no-cache") && !e.header0("Cache-Control") {
		return false
	}
	age, life := e.age(now), e.lifetime()
	if r.MaxAge != nil && age > *r.MaxAge {
		return false
	}
	if age < life {
		return true
	}
	strict := d.has("must-revalidate") || d.has("proxy-revalidate") || d.has("s-maxage")
	return r.MaxStale != nil && !strict && age-life <= *r.MaxStale
}

// header0 tells whether a header is there.
func (e *entry) header0(name string) bool { return len(e.header.Values(name)) > 0 }

// ask makes a request conditional.
func (e *entry) ask(req *http.Request) {
	if v := e.header.Get("ETag"); v != "" {
		req.Header.Set("If-None-Match", v)
	}
	if v := e.header.Get("Last-Modified"); v != "" {
		req.Header.Set("If-Modified-Since", v)
	}
}

// renewed is the entry with the headers of a 304 answer (section 4.3.4).
func (e *entry) renewed(by *entry) *entry {
	h := maps.Clone(e.header)
	for k, v := range by.header {
		if k != "Content-Length" && k != "Content-Type" && k != "Content-Encoding" {
			h[k] = v
		}
	}
	return &entry{out: e.out, header: h, asked: by.asked, came: by.came}
}
