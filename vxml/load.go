package vxml

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/html/charset"

	"hark/vxml/ecma"
	"hark/vxml/fetch"
	"hark/vxml/srgs"
	"hark/vxml/xmltree"
)

// maxCompiled is how many compiled documents, grammars and scripts are kept.
const maxCompiled = 1000

// A shelf keeps what was compiled, by where it was and what it said. What is no longer said there is never asked for
// again, and dropped in time.
type shelf struct {
	mu   sync.Mutex
	kept map[shelfKey]any
}

type shelfKey struct {
	kind, url string
	sum       [sha256.Size]byte
}

// compiled returns what make made of a response, now or before. Errors are not kept.
func compiled[T any](s *shelf, kind string, r *fetch.Response, make func() (T, error)) (T, error) {
	key := shelfKey{kind, r.URL, sha256.Sum256(r.Body)}
	s.mu.Lock()
	old, ok := s.kept[key]
	s.mu.Unlock()
	if ok {
		return old.(T), nil
	}
	made, err := make()
	if err != nil {
		return made, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.kept == nil || len(s.kept) >= maxCompiled {
		s.kept = map[shelfKey]any{}
	}
	s.kept[key] = made
	return made, nil
}

// A need is what is fetched for what: the attributes of the element and the kind of the property defaults.
type need struct {
	kind string // "document", "grammar", "script", "audio", "data"
	e    *element
	max  int64
}

// fetch gets something. The element's attributes come first, then the properties.
func (x *execution) fetch(f *frame, n need, r fetch.Request) (*fetch.Response, error) {
	if err := x.step(); err != nil {
		return nil, err
	}
	r.Jar, r.MaxSize = x.jar, n.max
	r.MaxAge = x.age(f, n, "maxage")
	r.MaxStale = x.age(f, n, "maxstale")
	if d, err := duration(x.setting(f, n.e, "fetchtimeout", "fetchtimeout")); err == nil && d > 0 {
		r.Timeout = d
	}
	out, err := x.withAudio(f, n, func(ctx context.Context) (*fetch.Response, error) { return x.client.Do(ctx, r) })
	if err != nil {
		return nil, badFetch(x.ctx(), err)
	}
	return out, nil
}

// setting is an attribute, or the property that stands for it.
func (x *execution) setting(f *frame, e *element, attr, property string) string {
	if e != nil && e.node.Has(attr) {
		return e.attr(attr)
	}
	return x.property(f, property)
}

// age reads maxage or maxstale in seconds.
func (x *execution) age(f *frame, n need, attr string) *time.Duration {
	v, err := strconv.Atoi(strings.TrimSpace(x.setting(f, n.e, attr, n.kind+attr)))
	if err != nil || v < 0 {
		return nil
	}
	d := time.Duration(v) * time.Second
	return &d
}

// document fetches and compiles a document.
func (x *execution) document(f *frame, e *element, r fetch.Request) (*document, error) {
	out, err := x.fetch(f, need{"document", e, 0}, r)
	if err != nil {
		return nil, err
	}
	at := out.URL
	doc, err := compiled(&x.shelf, "document", out, func() (*document, error) { return compile(out.Body, at, x.Limits.xml()) })
	if err != nil {
		return nil, badFetch(x.ctx(), err)
	}
	return doc, nil
}

// page fetches a document and the root document it names. When only the latter cannot be had there is a document beside the
// error.
func (x *execution) page(f *frame, e *element, r fetch.Request) (doc, root *document, err error) {
	if doc, err = x.document(f, e, r); err != nil {
		return nil, nil, err
	}
	if doc.application == "" || doc.application == doc.url {
		return doc, doc, nil
	}
	if x.root != nil && x.root.url == doc.application {
		return doc, x.root, nil
	}
	root, err = x.document(f, nil, fetch.Request{URL: doc.application})
	if err == nil && root.application != "" && root.application != root.url {
		err = throw(evSemantic, "the application root document %s names a root itself", root.url)
	}
	return doc, root, err
}

// leaveFor goes to a dialog: "#id" in the document that is being run, or another document. from is what the URI is
// relative to. The event of a document that cannot be had is thrown where it is asked for.
func (x *execution) leaveFor(f *frame, e *element, from *document, uri string) error {
	uri = strings.TrimSpace(uri)
	if id, local := strings.CutPrefix(uri, "#"); local {
		if x.doc.dialog(id) == nil || id == "" {
			return throw(evBadFetch, "there is no dialog %q", id)
		}
		return &transition{doc: x.doc, root: x.root, dialog: id, same: true}
	}
	return x.leaveWith(f, e, fetch.Request{URL: xmltree.Resolve(from.base, uri)})
}

// leaveWith goes to the document that a request answers with.
func (x *execution) leaveWith(f *frame, e *element, r fetch.Request) error {
	url, id, _ := strings.Cut(r.URL, "#")
	r.URL = url
	doc, root, err := x.page(f, e, r)
	if err != nil {
		return err
	}
	if doc.dialog(id) == nil {
		return throw(evBadFetch, "there is no dialog %q", id)
	}
	return &transition{doc: doc, root: root, dialog: id}
}

// script fetches and compiles a script.
func (x *execution) script(f *frame, e *element, url string) (*ecma.Script, error) {
	out, err := x.fetch(f, need{"script", e, 0}, fetch.Request{URL: url})
	if err != nil {
		return nil, err
	}
	label := e.attr("charset")
	s, err := compiled(&x.shelf, "script "+label, out, func() (*ecma.Script, error) {
		text, err := decoded(out.Body, label)
		if err != nil {
			return nil, err
		}
		return ecma.Compile(url, text)
	})
	if err != nil {
		return nil, badFetch(x.ctx(), err)
	}
	return s, nil
}

// decoded makes text of bytes in a named charset; "" is UTF-8.
func decoded(b []byte, label string) (string, error) {
	if label == "" {
		return string(b), nil
	}
	r, err := charset.NewReaderLabel(label, bytes.NewReader(b))
	if err != nil {
		return "", err
	}
	text, err := io.ReadAll(r)
	return string(text), err
}

// grammar gets a grammar from elsewhere.
func (x *execution) grammar(f *frame, e *element, url string) (*srgs.Grammar, error) {
	out, err := x.fetch(f, need{"grammar", e, 0}, fetch.Request{URL: url})
	if err != nil {
		return nil, err
	}
	g, err := compiled(&x.shelf, "grammar", out, func() (*srgs.Grammar, error) { return readGrammar(out, x.Limits.xml()) })
	if err != nil {
		return nil, badFetch(x.ctx(), err)
	}
	return g, nil
}

// readGrammar reads a grammar file by what stands in it; servers seldom know the media types.
func readGrammar(r *fetch.Response, lim xmltree.Limits) (*srgs.Grammar, error) {
	text := string(r.Body)
	if srgs.IsABNF(text) {
		text, err := decoded(r.Body, srgs.Charset(text))
		if err != nil {
			return nil, throw(evFormat, "a grammar in an unknown charset: %v", err)
		}
		return srgs.ParseABNF(text, r.URL)
	}
	n, err := xmltree.Parse(r.Body, lim)
	if err != nil {
		if !strings.HasPrefix(strings.TrimSpace(text), "<") {
			return nil, throw(evFormat, "a grammar that is neither XML nor ABNF")
		}
		return nil, err
	}
	return srgs.ParseXML(n, r.URL)
}

// withAudio fetches while the caller hears fetchaudio, when it takes long.
func (x *execution) withAudio(f *frame, n need, get func(context.Context) (*fetch.Response, error)) (*fetch.Response, error) {
	src := ""
	if (n.kind == "document" || n.kind == "data") && !x.gone {
		src = x.setting(f, n.e, "fetchaudio", "fetchaudio")
	}
	if src == "" || f == nil {
		return get(x.ctx())
	}
	return x.besideSound(f, src, get)
}

// errFetched ends the playing of fetchaudio.
var errFetched = errors.New("vxml: fetched")
