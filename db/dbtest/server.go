package dbtest

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
)

// ErrMissing: PostgreSQL is not installed here.
var ErrMissing = errors.New("PostgreSQL is missing: install it (on Debian: apt-get install postgresql)")

// startLimit is how long PostgreSQL may take until it answers.
const startLimit = 30 * time.Second

// A Server is a PostgreSQL that listens on a socket in a folder of its own. It is for one goroutine at a time.
type Server struct {
	folder string
	bin    string
	who    *syscall.Credential
	count  atomic.Int64
	cmd    *exec.Cmd
	log    bytes.Buffer
	sync   string // its setting fsync: "on" or "off"
}

// Run starts a server; Close ends it. Without durable it does not wait for the disk, which is faster and as good as
// long as the machine itself does not fall over. Errors: ErrMissing.
func Run(durable bool) (_ *Server, err error) {
	s := &Server{sync: "off"}
	if durable {
		s.sync = "on"
	}
	if s.bin, err = binaries(); err != nil {
		return nil, err
	}
	if s.folder, err = os.MkdirTemp("", "hark-pg-"); err != nil { // short: a socket's path has 107 bytes at most
		return nil, err
	}
	if err := s.begin(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(s.folder))
	}
	return s, nil
}

func (s *Server) begin() (err error) {
	if s.who, err = servant(s.folder); err != nil {
		return err
	}
	initdb := s.command("initdb", "--pgdata="+s.folder+"/data", "--username=hark", "--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C")
	if out, err := initdb.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	return s.Restart()
}

// Restart starts a server that was stopped, and waits until it answers.
func (s *Server) Restart() error {
	s.cmd = s.command("postgres", "-D", s.folder+"/data", "-k", s.folder, "-c", "listen_addresses=", "-c", "max_connections=200", "-c", "fsync="+s.sync)
	s.cmd.Stdout, s.cmd.Stderr = &s.log, &s.log
	if err := s.cmd.Start(); err != nil {
		return err
	}
	if err := s.wait(); err != nil {
		return errors.Join(err, s.Halt())
	}
	return nil
}

// Halt breaks all connections and ends the server. Halting it again does nothing.
func (s *Server) Halt() error {
	if s.cmd == nil {
		return nil
	}
	err := s.cmd.Process.Signal(syscall.SIGINT) // its "fast shutdown"
	err = errors.Join(err, s.cmd.Wait())
	s.cmd = nil
	return err
}

// Close ends the server and removes its folder.
func (s *Server) Close() error { return errors.Join(s.Halt(), os.RemoveAll(s.folder)) }

// Create makes an empty database and returns its URL.
func (s *Server) Create() (string, error) {
	name := fmt.Sprintf("hark%d", s.count.Add(1))
	return s.url(name), s.run("postgres", "CREATE DATABASE "+name)
}

// run runs a statement as an administrator in a database of that name.
func (s *Server) run(database, statement string) error {
	admin, err := sql.Open("pgx", s.url(database))
	if err != nil {
		return err
	}
	defer admin.Close()
	_, err = admin.Exec(statement)
	return err
}

// binaries finds the folder of initdb and postgres, which Debian keeps out of the path.
func binaries() (string, error) {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if path, err := exec.LookPath("initdb"); err == nil {
		found = append(found, path)
	}
	if len(found) == 0 {
		return "", ErrMissing
	}
	program, err := filepath.EvalSymlinks(found[len(found)-1]) // its neighbours need not be linked
	return filepath.Dir(program), err
}

// servant is who runs the server: it refuses to run as root.
func servant(folder string) (*syscall.Credential, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	nobody, err := user.Lookup("nobody")
	if err != nil {
		return nil, err
	}
	uid, errUID := strconv.Atoi(nobody.Uid)
	gid, errGID := strconv.Atoi(nobody.Gid)
	if err := errors.Join(errUID, errGID, os.Chown(folder, uid, gid)); err != nil {
		return nil, err
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}

func (s *Server) command(name string, args ...string) *exec.Cmd {
	c := exec.Command(filepath.Join(s.bin, name), args...)
	c.Dir = "/"
	c.SysProcAttr = &syscall.SysProcAttr{Credential: s.who, Setpgid: true, Pdeathsig: syscall.SIGQUIT}
	return c
}

// url addresses a database of the server.
func (s *Server) url(name string) string {
	return "postgres:///" + name + "?" + url.Values{"host": {s.folder}, "user": {"hark"}}.Encode()
}

func (s *Server) wait() error {
	admin, err := sql.Open("pgx", s.url("postgres"))
	if err != nil {
		return err
	}
	defer admin.Close()
	for deadline := time.Now().Add(startLimit); ; time.Sleep(50 * time.Millisecond) {
		err := admin.Ping()
		if err == nil {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("PostgreSQL does not answer: %w", err)
		}
	}
}
