package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"hark/audio"
	"hark/internal/testbed"
)

const (
	rangeClients = 8 // kept connections, each with one request at a time
	rangeBytes   = 16 << 10
	rangeFor     = 5 * time.Second
)

// ranges compares 206 answers of the links' handler with those of nginx, which serves the same file.
func (b audioBench) ranges(ctx context.Context) (_ []figure, err error) {
	file, err := b.recorded(ctx, time.Minute)
	if err != nil {
		return nil, err
	}
	rec, err := b.store.PutFile(ctx, file, audio.Meta{Owner: "bench"})
	if err != nil {
		return nil, err
	}
	if err := b.store.Wait(ctx, rec); err != nil {
		return nil, err
	}
	own, err := b.ownRanges(ctx, rec)
	if err != nil {
		return nil, err
	}
	theirs, err := b.nginxRanges(ctx, rec)
	if err != nil {
		return nil, err
	}
	return []figure{
		measured("audio: 206 answers of 16 KiB", "%.0f a second (nginx: %.0f)", own.rate, theirs.rate),
		measured("audio: 206 answers of 16 KiB, p99", "%s ms", ms(own.p99)).
			against(fmt.Sprintf("≤ 2 × nginx's %s ms", ms(theirs.p99)), own.p99 <= 2*theirs.p99),
	}, nil
}

// ownRanges serves the recording as "hark serve" does.
func (b audioBench) ownRanges(ctx context.Context, rec audio.Recording) (_ rangeAnswers, err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return rangeAnswers{}, err
	}
	server := &http.Server{
		Handler: audio.NewHandler(b.store, audio.HandlerConfig{}), ConnContext: audio.SmallBuffer, ReadHeaderTimeout: 5 * time.Second,
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	defer func() {
		err = errors.Join(err, server.Close())
		<-ended
	}()
	url := "http://" + l.Addr().String() + b.store.Path() + filepath.Base(rec.URL) + ".wav"
	return askRanges(ctx, url, rec.Bytes)
}

// nginxRanges has nginx serve a copy of the recording.
func (b audioBench) nginxRanges(ctx context.Context, rec audio.Recording) (_ rangeAnswers, err error) {
	file, _, err := b.store.Local(ctx, rec.URL)
	if err != nil {
		return rangeAnswers{}, err
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return rangeAnswers{}, err
	}
	nginx, err := testbed.StartNginx(ctx)
	if err != nil {
		return rangeAnswers{}, err
	}
	defer func() { err = errors.Join(err, nginx.Discard()) }()
	if err := os.WriteFile(filepath.Join(nginx.Dir, "file.wav"), data, 0o600); err != nil {
		return rangeAnswers{}, err
	}
	return askRanges(ctx, nginx.URL+"file.wav", int64(len(data)))
}

// rangeAnswers is how a server did.
type rangeAnswers struct {
	rate float64 // a second
	p99  time.Duration
}

// askRanges has clients ask for ranges all over a file of that size.
func askRanges(ctx context.Context, url string, size int64) (rangeAnswers, error) {
	transport := &http.Transport{MaxIdleConnsPerHost: rangeClients}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	took := make([][]time.Duration, rangeClients)
	group, ctx := errgroup.WithContext(ctx)
	begun := time.Now()
	for c := range rangeClients {
		group.Go(func() error {
			for i := int64(c); time.Since(begun) < rangeFor; i += rangeClients {
				asked := time.Now()
				if err := getRange(ctx, client, url, i*7919%(size-rangeBytes)); err != nil {
					return err
				}
				took[c] = append(took[c], time.Since(asked))
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return rangeAnswers{}, err
	}
	all := slices.Concat(took...)
	return rangeAnswers{float64(len(all)) / time.Since(begun).Seconds(), percentile(all, 99)}, nil
}

// getRange asks for a range from an offset on, and checks that it comes.
func getRange(ctx context.Context, client *http.Client, url string, from int64) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	r.Header.Set("Range", fmt.Sprintf("bytes=%d-%d", from, from+rangeBytes-1))
	answer, err := client.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	n, err := io.Copy(io.Discard, answer.Body)
	if err == nil && (answer.StatusCode != http.StatusPartialContent || n != rangeBytes) {
		err = fmt.Errorf("a range of %s: %s, %d bytes", url, answer.Status, n)
	}
	return err
}
