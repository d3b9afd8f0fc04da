package testbed

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"
)

//go:embed nginx.conf
var nginxConfig string

// Nginx is a running nginx with one worker for each CPU, which serves the files of a folder.
type Nginx struct {
	URL string // ends in a slash
	Dir string // the folder; whoever started it puts files there

	process *process
}

// StartNginx starts an nginx on loopback and returns when it answers. The caller ends it with Discard. ctx bounds only
// the start.
func StartNginx(ctx context.Context) (*Nginx, error) {
	const host = "127.0.0.1"
	port, err := freePort("tcp", host)
	if err != nil {
		return nil, err
	}
	dir, _, err := runDir("", "hark-nginx-")
	if err != nil {
		return nil, err
	}
	n := &Nginx{URL: "http://" + hostPort(host, port) + "/", Dir: filepath.Join(dir, "files")}
	if err := n.begin(ctx, dir, hostPort(host, port)); err != nil {
		return nil, errors.Join(fmt.Errorf("testbed: nginx: %w\n%s", err, tail(filepath.Join(dir, "log"), 2000)), n.Discard())
	}
	return n, nil
}

func (n *Nginx) begin(ctx context.Context, dir, address string) error {
	if err := os.Mkdir(n.Dir, 0o700); err != nil {
		return err
	}
	config, user := filepath.Join(dir, "nginx.conf"), ""
	if os.Getuid() == 0 {
		user = "user root;" // else its workers may not read the folder
	}
	err := renderFile(config, nginxConfig, map[string]string{"HARK_DIR": dir, "HARK_ADDRESS": address, "HARK_USER": user})
	if err != nil {
		return err
	}
	program := firstMatch("/usr/sbin/nginx", "/usr/bin/nginx")
	if program == "" {
		return errors.New("it is missing: apt-get install nginx-light")
	}
	log := filepath.Join(dir, "log")
	if n.process, err = start(log, program, "-c", config, "-p", dir, "-e", log); err != nil {
		return err
	}
	return waitFor(ctx, 10*time.Second, n.process.gone, func(ctx context.Context) error {
		c, err := new(net.Dialer).DialContext(ctx, "tcp", address)
		if err != nil {
			return err
		}
		return c.Close()
	})
}

// Discard ends nginx and removes its folder.
func (n *Nginx) Discard() error {
	var err error
	if n.process != nil {
		err = n.process.stop(5 * time.Second)
	}
	return errors.Join(err, os.RemoveAll(filepath.Dir(n.Dir)))
}
