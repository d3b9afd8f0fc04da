package fetch

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"net/http"
	"net/url"
	"os"
	"path"
	"strings"
)

// CheckBase tells what is wrong with a base of Options.Allow.
func CheckBase(s string) error {
	_, err := base(s)
	return err
}

// base reads an allowed base. Its path ends with a slash, so that "/app" does not allow "/apple".
func base(s string) (*url.URL, error) {
	u, err := url.Parse(s)
	if err != nil {
		return nil, fmt.Errorf("fetch: base %q: %w", s, err)
	}
	host := u.Scheme == "http" || u.Scheme == "https"
	if !host && u.Scheme != "file" || host == (u.Host == "") || u.User != nil || u.RawQuery != "" {
		return nil, fmt.Errorf("fetch: base %q is not http(s)://host/… or file:///…, without a user and a question mark", s)
	}
	u.Path = path.Clean("/" + u.Path)
	if u.Path != "/" {
		u.Path += "/"
	}
	return u, nil
}

// allowed tells whether a URL is within a base.
func (c *Client) allowed(u *url.URL) bool { return c.within(u) != nil }

// within is the base that a URL is in, or nil.
func (c *Client) within(u *url.URL) *url.URL {
	if u.User != nil || u.Opaque != "" {
		return nil
	}
	p := path.Clean("/" + u.Path)
	for _, b := range c.bases {
		if strings.EqualFold(u.Scheme, b.Scheme) && strings.EqualFold(u.Host, b.Host) && strings.HasPrefix(p+"/", b.Path) {
			return b
		}
	}
	return nil
}

// file reads a file. Links that lead out of the base are not followed.
func (c *Client) file(u *url.URL, r Request) (*Response, error) {
	if r.Method != "" && r.Method != http.MethodGet {
		return nil, &StatusError{http.StatusMethodNotAllowed}
	}
	b := c.within(u)
	root, err := os.OpenRoot(b.Path)
	if err != nil {
		return nil, fileError(err)
	}
	defer root.Close()
	f, err := root.Open(strings.TrimPrefix(path.Clean("/"+u.Path), b.Path))
	if err != nil {
		return nil, fileError(err)
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%w: %s is no file", &StatusError{http.StatusNotFound}, f.Name())
	}
	body, err := io.ReadAll(io.LimitReader(f, r.MaxSize+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("fetch: %w", err)
	case int64(len(body)) > r.MaxSize:
		return nil, ErrTooLarge
	}
	u.RawQuery = ""
	return &Response{URL: u.String(), Type: mime.TypeByExtension(path.Ext(u.Path)), Body: body}, nil
}

// fileError makes a status of what is wrong with a file.
func fileError(err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%w: %w", &StatusError{http.StatusNotFound}, err)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%w: %w", &StatusError{http.StatusForbidden}, err)
	}
	return fmt.Errorf("fetch: %w", err)
}
