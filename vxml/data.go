package vxml

import (
	"net/url"
	"slices"
	"strings"

	"hark/vxml/fetch"
	"hark/vxml/xmltree"
)

// data fetches XML and makes a read-only DOM of it.
func (b *builder) data(n *xmltree.Node) act {
	e := b.element(n)
	name := n.Attr("name")
	good := name == "" || goodName(name)
	return func(f *frame) error {
		if !good {
			return throw(evSemantic, "%q is no name of a variable", name)
		}
		src, err := f.attrOr(e, "src", "srcexpr")
		if err != nil {
			return err
		}
		r, err := f.request(e, src, nil)
		if err != nil {
			return err
		}
		out, err := f.x.fetch(f, need{"data", e, 0}, r)
		if err != nil || name == "" {
			return err
		}
		return f.keepData(name, out)
	}
}

// keepData parses what was fetched into a variable.
func (f *frame) keepData(name string, out *fetch.Response) error {
	root, err := compiled(&f.x.shelf, "data", out, func() (*xmltree.Node, error) {
		lim := f.x.Limits.xml()
		lim.Comments = true
		return xmltree.Parse(out.Body, lim)
	})
	if err != nil {
		return badFetch(f.x.ctx(), err)
	}
	if !accessible(root, f.base()) {
		return throw(evNoAuth, "the data is not for documents from here")
	}
	f.scope.Declare(name, f.x.vm.Document(root))
	return nil
}

// accessible reads <?access-control allow="host *.host *"?>, with which data says whose documents may read it. Data that
// says nothing is for all that the administrator allows to fetch it.
func accessible(root *xmltree.Node, base string) bool {
	i := slices.IndexFunc(root.Before, func(c *xmltree.Node) bool {
		return c.Kind == xmltree.Instruction && c.Name == "access-control"
	})
	if i < 0 {
		return true
	}
	u, err := url.Parse(base)
	if err != nil {
		return false
	}
	allow, deny := pseudo(root.Before[i].Data, "allow"), pseudo(root.Before[i].Data, "deny")
	return named(allow, u.Hostname()) && !named(deny, u.Hostname())
}

// pseudo reads a pseudo attribute of a processing instruction.
func pseudo(data, name string) string {
	_, rest, ok := strings.Cut(" "+data, " "+name+"=")
	if !ok || rest == "" {
		return ""
	}
	value, _, _ := strings.Cut(rest[1:], rest[:1])
	return value
}

// named tells whether a host is in a list.
func named(list, host string) bool {
	return slices.ContainsFunc(strings.Fields(list), func(p string) bool {
		suffix, wild := strings.CutPrefix(p, "*")
		return p == host || wild && strings.HasSuffix(host, suffix)
	})
}
