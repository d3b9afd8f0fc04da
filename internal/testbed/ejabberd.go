package testbed

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strconv"
	"time"
)

//go:embed ejabberd.yml
var ejabberdConfig string

// EjabberdOptions say how an ejabberd is to be. The zero value is a server for localhost without accounts.
type EjabberdOptions struct {
	// Users are the accounts, by the part before the @, with their passwords.
	Users map[string]string
	// Friends are pairs of users who stand on each other's roster and see each other's presence.
	Friends [][2]string
}

// Ejabberd is a running ejabberd, in an Erlang machine that talks to no other.
type Ejabberd struct {
	XMPPServer
	api string // URL of its administration interface
}

// StartEjabberd starts an ejabberd and returns when it speaks XMPP and has the accounts. The caller ends it with Stop,
// Kill or Discard. ctx bounds only the start.
func StartEjabberd(ctx context.Context, o EjabberdOptions) (*Ejabberd, error) {
	e, err := startXMPP(ctx, true, layEjabberd)
	if err != nil {
		return nil, err
	}
	if err := e.fill(ctx, o); err != nil {
		return nil, errors.Join(err, e.Discard())
	}
	return e, nil
}

// layEjabberd makes the run folder of an ejabberd with everything in it, ready to be started.
func layEjabberd() (*Ejabberd, error) {
	const host, domain = "127.0.0.1", "localhost"
	port, err := freePort("tcp", host)
	if err != nil {
		return nil, err
	}
	api, err := freePort("tcp", host)
	if err != nil {
		return nil, err
	}
	dir, temp, err := runDir("", "hark-ejabberd-")
	if err != nil {
		return nil, err
	}
	e := &Ejabberd{api: "http://" + hostPort(host, api) + "/api/", XMPPServer: XMPPServer{
		Addr:      hostPort(host, port),
		Domain:    domain,
		CAFile:    filepath.Join(dir, "cert.pem"),
		Dir:       dir,
		LogFile:   filepath.Join(dir, "log"),
		name:      "ejabberd",
		portTaken: "eaddrinuse",
		temp:      temp,
	}}
	e.command = e.erlang()
	e.Roots, err = writeCertificate(e.CAFile, filepath.Join(dir, "key.pem"), domain)
	if err == nil {
		err = renderFile(filepath.Join(dir, "ejabberd.yml"), ejabberdConfig, map[string]string{
			"HARK_DIR":       dir,
			"HARK_DOMAIN":    domain,
			"HARK_PORT":      strconv.Itoa(port),
			"HARK_HTTP_PORT": strconv.Itoa(api),
		})
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("testbed: ejabberd: %w", err), e.Discard())
	}
	return e, nil
}

// erlang is the command line of an Erlang machine that runs ejabberd alone: without the daemon by which Erlang machines
// find each other (epmd), which would stay behind, and without spinning while there is nothing to do.
func (e *Ejabberd) erlang() []string {
	return []string{
		"env", "HOME=" + e.Dir, "ERL_LIBS=/usr/lib/x86_64-linux-gnu:/usr/lib/aarch64-linux-gnu",
		"EJABBERD_CONFIG_PATH=" + filepath.Join(e.Dir, "ejabberd.yml"), "EJABBERD_LOG_PATH=" + e.LogFile,
		"EJABBERD_PID_PATH=" + e.pidFile(), "ERL_CRASH_DUMP_BYTES=0",
		"erl", "-noinput", "+S", "2:2", "+sbwt", "none", "-mnesia", "dir", strconv.Quote(filepath.Join(e.Dir, "data")), "-s", "ejabberd",
	}
}

// fill makes the accounts and puts friends on each other's rosters.
func (e *Ejabberd) fill(ctx context.Context, o EjabberdOptions) error {
	for user, password := range o.Users {
		if err := e.call(ctx, "register", map[string]string{"user": user, "host": e.Domain, "password": password}); err != nil {
			return err
		}
	}
	for _, pair := range o.Friends {
		for i := range pair {
			err := e.call(ctx, "add_rosteritem", map[string]string{"localuser": pair[i], "localhost": e.Domain,
				"user": pair[1-i], "host": e.Domain, "nick": "", "group": "", "subs": "both"})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// call carries out one of ejabberd's administration commands.
func (e *Ejabberd) call(ctx context.Context, command string, args map[string]string) error {
	body, err := json.Marshal(args)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, e.api+command, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Close = true
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("testbed: ejabberd: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		said, _ := io.ReadAll(io.LimitReader(resp.Body, 1000))
		return fmt.Errorf("testbed: ejabberd answers %s with %s: %s", command, resp.Status, said)
	}
	return nil
}
