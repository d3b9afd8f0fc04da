package testbed

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// s3Program is the S3 server that scripts/deps.sh builds: a gateway to a folder, used in earnest by others.
const s3Program = "versitygw-v1.0.14"

// ErrNoS3 says that the S3 server was not built.
var ErrNoS3 = errors.New("testbed: there is no S3 server: scripts/deps.sh tests builds one")

// S3 is a running S3 server without a bucket, which keeps its objects in a folder.
type S3 struct {
	Address        string // host:port, without TLS
	Access, Secret string

	dir     string
	process *process
}

// StartS3 starts an S3 server on loopback and returns when it answers; ErrNoS3 when it is missing. The caller ends it
// with Discard. ctx bounds only the start.
func StartS3(ctx context.Context) (*S3, error) {
	cache, err := CacheDir()
	if err != nil {
		return nil, err
	}
	program := filepath.Join(cache, s3Program, "versitygw")
	if firstMatch(program) == "" {
		return nil, ErrNoS3
	}
	const host = "127.0.0.1"
	port, err := freePort("tcp", host)
	if err != nil {
		return nil, err
	}
	dir, _, err := runDir("", "hark-s3-")
	if err != nil {
		return nil, err
	}
	s := &S3{Address: hostPort(host, port), Access: "hark", Secret: "a secret of the test", dir: dir}
	if err := s.begin(ctx, program); err != nil {
		return nil, errors.Join(fmt.Errorf("testbed: the S3 server: %w\n%s", err, tail(filepath.Join(dir, "log"), 2000)), s.Discard())
	}
	return s, nil
}

func (s *S3) begin(ctx context.Context, program string) error {
	objects, about := filepath.Join(s.dir, "objects"), filepath.Join(s.dir, "about")
	for _, dir := range []string{objects, about} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			return err
		}
	}
	var err error
	s.process, err = start(filepath.Join(s.dir, "log"), program, "--access", s.Access, "--secret", s.Secret, "--port", s.Address,
		"--quiet", "--health", "/health", "posix", "--sidecar", about, objects) // the sidecar: not every disk has attributes
	if err != nil {
		return err
	}
	return waitFor(ctx, 20*time.Second, s.process.gone, s.healthy)
}

func (s *S3) healthy(ctx context.Context) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.Address+"/health", nil)
	if err != nil {
		return err
	}
	r.Close = true
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK {
		err = errors.New(answer.Status)
	}
	return errors.Join(err, answer.Body.Close())
}

// Discard ends the server and removes its folder.
func (s *S3) Discard() error {
	var err error
	if s.process != nil {
		err = s.process.stop(5 * time.Second)
	}
	return errors.Join(err, os.RemoveAll(s.dir))
}
