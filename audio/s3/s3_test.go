package s3_test

import (
	"errors"
	"fmt"
	"testing"

	"hark/audio"
	"hark/audio/audiotest"
	"hark/audio/s3"
	"hark/audio/s3/s3test"
	"hark/internal/testbed"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestBackend(t *testing.T) {
	audiotest.Run(t, func(t *testing.T) audio.Backend {
		b, err := s3.Open(t.Context(), s3test.Server(t))
		if err != nil {
			t.Fatal(err)
		}
		return b
	})
}

// TestRealServer runs the suite against an S3 server that others use in earnest, with a bucket for each case.
func TestRealServer(t *testing.T) {
	server, err := testbed.StartS3(t.Context())
	if errors.Is(err, testbed.ErrNoS3) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := server.Discard(); err != nil {
			t.Error(err)
		}
	}()
	buckets := 0
	audiotest.Run(t, func(t *testing.T) audio.Backend {
		buckets++
		cfg := s3.Config{
			Endpoint: server.Address, Bucket: fmt.Sprint("recordings-", buckets), Prefix: "hark/", Access: server.Access, Secret: server.Secret,
		}
		makeBucket(t, cfg)
		b, err := s3.Open(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		return b
	})
}

func makeBucket(t *testing.T, cfg s3.Config) {
	t.Helper()
	client, err := minio.New(cfg.Endpoint, &minio.Options{Creds: credentials.NewStaticV4(cfg.Access, cfg.Secret, "")})
	if err != nil {
		t.Fatal(err)
	}
	if err := client.MakeBucket(t.Context(), cfg.Bucket, minio.MakeBucketOptions{}); err != nil {
		t.Fatal(err)
	}
}

func TestOpenRefuses(t *testing.T) {
	good := s3test.Server(t)
	for name, change := range map[string]func(*s3.Config){
		"no such bucket": func(c *s3.Config) { c.Bucket = "others" },
		"a bad prefix":   func(c *s3.Config) { c.Prefix = "hark" },
		"a bad endpoint": func(c *s3.Config) { c.Endpoint = "http://a/b" },
	} {
		cfg := good
		change(&cfg)
		if b, err := s3.Open(t.Context(), cfg); err == nil {
			_ = b.Close()
			t.Errorf("%s was accepted", name)
		}
	}
}

func TestPrefixKeepsApart(t *testing.T) {
	cfg := s3test.Server(t)
	one, err := s3.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer one.Close()
	cfg.Prefix = "other/"
	two, err := s3.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer two.Close()
	if err := one.Put(t.Context(), "a/b", []byte("x")); err != nil {
		t.Fatal(err)
	}
	for info, err := range two.List(t.Context(), "") {
		t.Errorf("the other prefix lists %v, %v", info, err)
	}
}
