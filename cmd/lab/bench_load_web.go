package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
)

// webLoadFor is how long each kind of load lasts.
const webLoadFor = 5 * time.Second

// A webLoad is how a server did.
type webLoad struct {
	most float64       // answers a second when every client asks as soon as it has an answer
	p99  time.Duration // of an answer, when there are so many requests a second as were to be
}

// putLoad has clients ask as fast as they get answers, and then at a rate. ask is for client number i.
func putLoad(ctx context.Context, clients, rate int, ask func(ctx context.Context, i int) error) (load webLoad, err error) {
	count, took, err := flood(ctx, clients, ask)
	if err != nil {
		return load, err
	}
	load.most = float64(count) / took.Seconds()
	times, err := pace(ctx, clients, rate, ask)
	load.p99 = percentile(times, 99)
	return load, err
}

// flood has every client ask again as soon as it has an answer.
func flood(ctx context.Context, clients int, ask func(context.Context, int) error) (count int, took time.Duration, err error) {
	counts := make([]int, clients)
	group, ctx := errgroup.WithContext(ctx)
	begun := time.Now()
	for i := range clients {
		group.Go(func() error {
			for ; time.Since(begun) < webLoadFor; counts[i]++ {
				if err := ask(ctx, i); err != nil {
					return err
				}
			}
			return nil
		})
	}
	err = group.Wait()
	for _, n := range counts {
		count += n
	}
	return count, time.Since(begun), err
}

// pace has clients ask at a rate, all together, evenly. The time of an answer counts from when the request was to be
// made, so that a server which keeps a client waiting does not hide the wait of the next request.
func pace(ctx context.Context, clients, rate int, ask func(context.Context, int) error) ([]time.Duration, error) {
	times := make([][]time.Duration, clients)
	group, ctx := errgroup.WithContext(ctx)
	begun, every := time.Now(), time.Second*time.Duration(clients)/time.Duration(rate)
	for i := range clients {
		group.Go(func() error {
			due := begun.Add(time.Duration(i) * time.Second / time.Duration(rate))
			for ; due.Sub(begun) < webLoadFor; due = due.Add(every) {
				select {
				case <-time.After(time.Until(due)):
				case <-ctx.Done():
					return context.Cause(ctx)
				}
				if err := ask(ctx, i); err != nil {
					return err
				}
				times[i] = append(times[i], time.Since(due))
			}
			return nil
		})
	}
	err := group.Wait()
	return slices.Concat(times...), err
}

// loadFigures are the two lines about a load. beside tells how others did; aim is for the second, 0 for none.
func loadFigures(what string, load webLoad, beside string, aim time.Duration) []figure {
	at := measured(fmt.Sprintf("%s, p99 at %d a second", what, webRate), "%s ms", ms(load.p99))
	if aim > 0 {
		at = at.against(fmt.Sprintf("≤ %d ms", aim.Milliseconds()), load.p99 <= aim)
	}
	return []figure{measured(fmt.Sprintf("%s, %d clients", what, webClients), "%.0f a second%s", load.most, beside), at}
}

// get asks for a page, which must be there.
func (c webClient) get(ctx context.Context, path string) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, c.site+path, nil)
	if err != nil {
		return nil, err
	}
	r.AddCookie(&http.Cookie{Name: "hark", Value: c.cookie})
	body, _, err := c.do(r)
	return body, err
}

// login sends number and PIN and returns the cookie of the session.
func (c webClient) login(ctx context.Context, u user) (cookie string, err error) {
	form := url.Values{"user": {u.Number}, "pin": {u.PIN}}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.site+"/login", strings.NewReader(form.Encode()))
	if err != nil {
		return "", err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.AddCookie(&http.Cookie{Name: "hark-probe", Value: "1"}) // as a browser that has cookies
	_, cookies, err := c.do(r)
	for _, set := range cookies {
		if set.Name == "hark" {
			return set.Value, err
		}
	}
	return "", errors.Join(err, errors.New("the login gave no cookie"))
}

func (c webClient) do(r *http.Request) ([]byte, []*http.Cookie, error) {
	answer, err := c.http.Do(r)
	if err != nil {
		return nil, nil, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s %s: %s", r.Method, r.URL.Path, answer.Status)
	}
	return body, answer.Cookies(), err
}
