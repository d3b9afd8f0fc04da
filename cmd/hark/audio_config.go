package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"hark/accounts"
	"hark/audio"
	"hark/audio/s3"
)

// audioConfig says where voice messages are kept, and within which bounds.
type audioConfig struct {
	Dir           string   `toml:"dir"`
	Bucket        string   `toml:"bucket"`
	BucketRegion  string   `toml:"bucket_region"`
	BucketAccess  string   `toml:"bucket_access"`
	BucketSecret  string   `toml:"bucket_secret"`
	URL           string   `toml:"url"`
	Keep          duration `toml:"keep"`
	Messages      int      `toml:"messages"`
	Megabytes     int64    `toml:"megabytes"`
	FreeMegabytes int64    `toml:"free_megabytes"`
	Plays         int      `toml:"plays"`
	Sender        bool     `toml:"sender"`
}

func defaultAudio() audioConfig {
	return audioConfig{Keep: duration(30 * 24 * time.Hour), Messages: 100, Megabytes: 50, Sender: true}
}

// checkAudio tells what cannot work of the voice messages.
func (c *config) checkAudio(bad func(key, format string, args ...any)) {
	a := &c.Audio
	if a.URL == "" {
		bad("audio.url", "is missing: with listen.web = \"\" say at which address the links to voice messages are served")
	} else if u, err := url.Parse(a.URL); err != nil || u.Host == "" || !strings.HasSuffix(u.Path, "/") {
		bad("audio.url", "%q is not a URL that ends in a slash, like https://im.example.org/a/", a.URL)
	}
	for key, value := range map[string]int64{
		"audio.messages": int64(a.Messages), "audio.megabytes": a.Megabytes, "audio.keep": int64(a.Keep),
	} {
		if value < 1 {
			bad(key, "must be more than 0")
		}
	}
	for key, value := range map[string]int64{"audio.plays": int64(a.Plays), "audio.free_megabytes": a.FreeMegabytes} {
		if value < 0 {
			bad(key, "must not be below 0")
		}
	}
	c.checkBucket(bad)
}

// checkBucket tells what cannot work of the object storage, and reads its secrets.
func (c *config) checkBucket(bad func(key, format string, args ...any)) {
	a := &c.Audio
	for key, value := range map[string]*string{"audio.bucket_access": &a.BucketAccess, "audio.bucket_secret": &a.BucketSecret} {
		secret, err := readSecret(*value)
		if err != nil {
			bad(key, "cannot be read: %v", err)
		}
		*value = secret
	}
	if a.Bucket == "" {
		return
	}
	if _, err := a.s3(); err != nil {
		bad("audio.bucket", "%v", err)
	}
	if a.BucketAccess == "" || a.BucketSecret == "" {
		bad("audio.bucket", "needs audio.bucket_access and audio.bucket_secret")
	}
}

// s3 reads the bucket's URL: https://HOST[:PORT]/BUCKET/[PREFIX/].
func (a audioConfig) s3() (s3.Config, error) {
	u, err := url.Parse(a.Bucket)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.User != nil || u.RawQuery != "" {
		return s3.Config{}, fmt.Errorf("%q is not a URL like https://s3.example.org/bucket/", a.Bucket)
	}
	bucket, prefix, _ := strings.Cut(strings.TrimPrefix(u.Path, "/"), "/")
	if bucket == "" || prefix != "" && !strings.HasSuffix(prefix, "/") {
		return s3.Config{}, fmt.Errorf("%q names no bucket, or a folder in it that does not end in a slash", a.Bucket)
	}
	return s3.Config{
		Endpoint: u.Host, TLS: u.Scheme == "https", Bucket: bucket, Prefix: prefix,
		Region: a.BucketRegion, Access: a.BucketAccess, Secret: a.BucketSecret,
	}, nil
}

// place is where recordings are, for people.
func (a audioConfig) place() string {
	if a.Bucket != "" {
		return a.Bucket
	}
	return a.Dir
}

// openBackend connects to the bucket; nil without an error when recordings are in a folder.
func (a audioConfig) openBackend(ctx context.Context) (audio.Backend, error) {
	if a.Bucket == "" {
		return nil, nil
	}
	settings, err := a.s3()
	if err != nil {
		return nil, err
	}
	return s3.Open(ctx, settings)
}

// openAudio opens the store of voice messages. sweepEvery is audio.Config.GCEvery.
func (c config) openAudio(ctx context.Context, sweepEvery time.Duration, log *slog.Logger) (*audio.Store, error) {
	firstKey, err := c.firstLinkKey()
	if err != nil {
		return nil, err
	}
	backend, err := c.Audio.openBackend(ctx)
	if err != nil {
		return nil, err
	}
	store, err := audio.Open(ctx, audio.Config{
		Dir:       c.Audio.Dir,
		Backend:   backend,
		Keys:      c.linkKeys(),
		FirstKey:  firstKey,
		URL:       c.Audio.URL,
		Cache:     filepath.Join(c.Prompts.Cache, "recordings"),
		Retention: time.Duration(c.Audio.Keep),
		MaxCount:  c.Audio.Messages,
		MaxBytes:  c.Audio.Megabytes << 20,
		Floor:     c.Audio.FreeMegabytes << 20,
		GCEvery:   sweepEvery,
		Log:       log,
	})
	if err != nil && backend != nil {
		err = errors.Join(err, backend.Close())
	}
	return store, err
}

// linkKeys is the file with the keys that sign links.
func (c config) linkKeys() string { return c.Keys + ".links" }

// firstLinkKey is what nodes with the same secrets all begin to sign links with.
func (c config) firstLinkKey() ([]byte, error) {
	keys, err := accounts.LoadKeys(c.Keys)
	if err != nil {
		return nil, err
	}
	return keys.Derive("links"), nil
}
