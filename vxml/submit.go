package vxml

import (
	"bytes"
	"cmp"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"path/filepath"
	"strings"

	"hark/vxml/ecma"
	"hark/vxml/fetch"
	"hark/vxml/xmltree"
)

// submit goes to the document that a server answers with.
func (b *builder) submit(n *xmltree.Node) act {
	e := b.element(n)
	return func(f *frame) error {
		uri, err := f.attrOr(e, "next", "expr")
		if err != nil {
			return err
		}
		r, err := f.request(e, uri, f.inputs())
		if err != nil {
			return err
		}
		return f.x.leaveWith(f, e, r)
	}
}

// inputs names the input items of the form, which <submit> sends when it names nothing.
func (f *frame) inputs() []string {
	if f.form == nil {
		return nil
	}
	var names []string
	for _, i := range f.form.dialog.items {
		if i.isInput() && i.name != "" {
			names = append(names, i.name)
		}
	}
	return names
}

// maxUpload bounds a recording that is sent, in bytes.
const maxUpload = 32 << 20

// request makes the request that an element with namelist, method and enctype describes. names are sent when there is
// no namelist.
func (f *frame) request(e *element, uri string, names []string) (fetch.Request, error) {
	if e.node.Has("namelist") {
		names = strings.Fields(e.attr("namelist"))
	}
	values, err := f.namelist(names)
	if err != nil {
		return fetch.Request{}, err
	}
	r := fetch.Request{URL: xmltree.Resolve(f.base(), uri)}
	switch method := strings.ToLower(e.attr("method")); method {
	case "", "get":
		return r, f.query(&r, names, values)
	case "post":
		r.Method = http.MethodPost
	default:
		return r, throw(evBadFetch, "method %s", method)
	}
	switch e.attr("enctype") {
	case "", "application/x-www-form-urlencoded":
		form, err := f.fields(names, values)
		r.Body, r.Type = []byte(form.Encode()), "application/x-www-form-urlencoded"
		return r, err
	case "multipart/form-data":
		return r, f.multipart(&r, names, values)
	}
	return r, throw("error.badfetch", "enctype %s", e.attr("enctype"))
}

// fields makes fields of variables. A recording is its name: sound needs multipart/form-data.
func (f *frame) fields(names []string, values []ecma.Value) (url.Values, error) {
	form := url.Values{}
	for i, name := range names {
		if err := f.field(form, name, values[i], 0); err != nil {
			return nil, err
		}
	}
	return form, nil
}

// maxFields is how deep an object is sent.
const maxFields = 8

// field adds a variable; an object is a field for each of its properties.
func (f *frame) field(form url.Values, name string, v ecma.Value, depth int) error {
	if f.x.vm.IsObject(v) && asRecording(f.x.vm, v) == nil && depth < maxFields {
		for _, key := range f.x.vm.Keys(v) {
			if err := f.field(form, name+"."+key, f.x.vm.Property(v, key), depth+1); err != nil {
				return err
			}
		}
		return nil
	}
	s, err := f.text(v)
	form.Add(name, s)
	return err
}

// query appends variables to the URL.
func (f *frame) query(r *fetch.Request, names []string, values []ecma.Value) error {
	form, err := f.fields(names, values)
	if err != nil || len(form) == 0 {
		return err
	}
	u, err := url.Parse(r.URL)
	if err != nil {
		return badFetch(f.x.ctx(), err)
	}
	if u.RawQuery != "" {
		u.RawQuery += "&"
	}
	u.RawQuery += form.Encode()
	r.URL = u.String()
	return nil
}

// multipart makes a body with a part for each variable; a recording is a file.
func (f *frame) multipart(r *fetch.Request, names []string, values []ecma.Value) error {
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for i, name := range names {
		if rec := asRecording(f.x.vm, values[i]); rec != nil {
			if err := attach(w, name, rec); err != nil {
				return badFetch(f.x.ctx(), err)
			}
			continue
		}
		form := url.Values{}
		if err := f.field(form, name, values[i], 0); err != nil {
			return err
		}
		for k, list := range form {
			if err := w.WriteField(k, list[0]); err != nil {
				return badFetch(f.x.ctx(), err)
			}
		}
	}
	if err := w.Close(); err != nil {
		return badFetch(f.x.ctx(), err)
	}
	r.Body, r.Type = body.Bytes(), w.FormDataContentType()
	return nil
}

// attach adds a recording.
func attach(w *multipart.Writer, name string, rec *Recording) error {
	if rec.Size > maxUpload {
		return fetch.ErrTooLarge
	}
	data, err := rec.data()
	if err != nil {
		return err
	}
	h := textproto.MIMEHeader{}
	h.Set("Content-Disposition", multipart.FileContentDisposition(name, filepath.Base(rec.File)))
	h.Set("Content-Type", cmp.Or(rec.Type, "audio/x-wav"))
	part, err := w.CreatePart(h)
	if err != nil {
		return err
	}
	_, err = part.Write(data)
	return err
}

// paramValues evaluates the <param> of an item.
func (f *formRun) paramValues(i *item) (map[string]ecma.Value, error) {
	values := map[string]ecma.Value{}
	fr := f.frame(i)
	for _, p := range i.params {
		v := f.x.vm.Value(p.attr("value"))
		if x := p.exprs["expr"]; x != nil {
			var err error
			if v, err = fr.eval(x); err != nil {
				return nil, err
			}
		}
		values[p.attr("name")] = v
	}
	return values, nil
}

// fromGo makes a value of what an object gave; the result nil is true.
func (x *execution) fromGo(v any) ecma.Value {
	if v == nil {
		return x.vm.Value(true)
	}
	return x.vm.Value(x.wrapped(v))
}

// wrapped makes values of the recordings within what an object gave.
func (x *execution) wrapped(v any) any {
	switch v := v.(type) {
	case *Recording:
		return x.vm.Wrap(v, "recording:"+filepath.Base(v.File))
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = x.wrapped(v[i])
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for k := range v {
			out[k] = x.wrapped(v[k])
		}
		return out
	}
	return v
}
