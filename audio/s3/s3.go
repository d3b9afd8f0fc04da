// Package s3 keeps recordings in S3-compatible object storage, for Hark on more than one machine.
//
// Every request goes over one connection pool; Close ends it. Objects are private: they are only ever served by
// audio.Handler.
package s3

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"strings"

	"hark/audio"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// Config says where the bucket is.
type Config struct {
	Endpoint string // host:port
	Bucket   string // must be there
	Prefix   string // of all keys, "" or ending in a slash
	Region   string // "" is us-east-1, which most servers that are not Amazon's want
	Access   string // access key
	Secret   string // secret key; never logged
	TLS      bool
}

// Backend implements audio.Backend.
type Backend struct {
	client    *minio.Client
	transport *http.Transport
	cfg       Config
}

// Open connects and checks that the bucket is there and may be used.
func Open(ctx context.Context, cfg Config) (*Backend, error) {
	if cfg.Region == "" {
		cfg.Region = "us-east-1"
	}
	if cfg.Prefix != "" && !strings.HasSuffix(cfg.Prefix, "/") {
		return nil, fmt.Errorf("s3: the prefix %q does not end in a slash", cfg.Prefix)
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	client, err := minio.New(cfg.Endpoint, &minio.Options{
		Creds: credentials.NewStaticV4(cfg.Access, cfg.Secret, ""), Secure: cfg.TLS, Region: cfg.Region, Transport: transport,
	})
	if err != nil {
		return nil, fmt.Errorf("s3: %w", err)
	}
	b := &Backend{client, transport, cfg}
	there, err := client.BucketExists(ctx, cfg.Bucket)
	if err == nil && !there {
		err = fmt.Errorf("there is no bucket %q", cfg.Bucket)
	}
	if err != nil {
		_ = b.Close()
		return nil, fmt.Errorf("s3: %w", err)
	}
	return b, nil
}

// Put implements audio.Backend.
func (b *Backend) Put(ctx context.Context, key string, data []byte) error {
	if !audio.ValidKey(key) {
		return fmt.Errorf("s3: the key %q is not allowed", key)
	}
	// One request that is signed with the sum of the data. What the option disables is another way to do that: a stream
	// of signed chunks, which not every server takes for an empty object.
	sum := sha256.Sum256(data)
	_, err := minio.Core{Client: b.client}.PutObject(ctx, b.cfg.Bucket, b.cfg.Prefix+key, bytes.NewReader(data), int64(len(data)),
		"", hex.EncodeToString(sum[:]), minio.PutObjectOptions{DisableContentSha256: true})
	return outward(err)
}

// object reads with one ranged request after each Seek.
type object struct {
	*minio.Object
	info audio.Info
	at   int64
}

func (o *object) Info() audio.Info { return o.info }

// Read implements io.Reader. S3 refuses a range that begins at the end, so the end is ours to tell.
func (o *object) Read(b []byte) (int, error) {
	if o.at >= o.info.Size {
		return 0, io.EOF
	}
	n, err := o.Object.Read(b)
	o.at += int64(n)
	return n, err
}

// Seek implements io.Seeker.
func (o *object) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += o.at
	case io.SeekEnd:
		offset += o.info.Size
	}
	if offset < 0 {
		return 0, errors.New("s3: seek before the beginning")
	}
	o.at = offset
	if offset >= o.info.Size {
		return offset, nil
	}
	return o.Object.Seek(offset, io.SeekStart)
}

// Open implements audio.Backend.
func (b *Backend) Open(ctx context.Context, key string) (audio.Object, error) {
	if !audio.ValidKey(key) {
		return nil, audio.ErrNotFound
	}
	o, err := b.client.GetObject(ctx, b.cfg.Bucket, b.cfg.Prefix+key, minio.GetObjectOptions{})
	if err != nil {
		return nil, outward(err)
	}
	st, err := o.Stat()
	if err != nil {
		_ = o.Close()
		return nil, outward(err)
	}
	return &object{Object: o, info: audio.Info{Key: key, Size: st.Size, Modified: st.LastModified}}, nil
}

// List implements audio.Backend.
func (b *Backend) List(ctx context.Context, prefix string) iter.Seq2[audio.Info, error] {
	return func(yield func(audio.Info, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel() // ends minio's goroutine when the loop is left early
		options := minio.ListObjectsOptions{Prefix: b.cfg.Prefix + prefix, Recursive: true}
		for o := range b.client.ListObjectsIter(ctx, b.cfg.Bucket, options) {
			if o.Err != nil {
				yield(audio.Info{}, outward(o.Err))
				return
			}
			key := strings.TrimPrefix(o.Key, b.cfg.Prefix)
			if !yield(audio.Info{Key: key, Size: o.Size, Modified: o.LastModified}, nil) {
				return
			}
		}
	}
}

// Delete implements audio.Backend.
func (b *Backend) Delete(ctx context.Context, keys ...string) error {
	for _, key := range keys {
		if !audio.ValidKey(key) {
			continue
		}
		err := b.client.RemoveObject(ctx, b.cfg.Bucket, b.cfg.Prefix+key, minio.RemoveObjectOptions{})
		if err != nil && minio.ToErrorResponse(err).Code != minio.NoSuchKey {
			return outward(err)
		}
	}
	return nil
}

// Close implements audio.Backend.
func (b *Backend) Close() error {
	b.transport.CloseIdleConnections()
	return nil
}

// outward makes the errors that audio.Backend names of the server's codes.
func outward(err error) error {
	if err == nil {
		return nil
	}
	switch minio.ToErrorResponse(err).Code {
	case minio.NoSuchKey:
		return audio.ErrNotFound
	case "XMinioStorageFull", "QuotaExceeded", "InsufficientStorage":
		return fmt.Errorf("%w: %w", audio.ErrNoSpace, err)
	}
	return fmt.Errorf("s3: %w", err)
}
