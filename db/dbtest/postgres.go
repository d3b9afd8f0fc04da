// Package dbtest starts a real PostgreSQL for tests, from the machine's own packages.
package dbtest

import (
	"bytes"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
)

// A Server is a PostgreSQL that listens on a socket in a folder of its own, and ends with the test.
type Server struct {
	folder string
	bin    string
	who    *syscall.Credential
	count  atomic.Int64
	cmd    *exec.Cmd
	log    bytes.Buffer
}

// Postgres starts a server; it skips the test where PostgreSQL is not installed.
func Postgres(t testing.TB) *Server {
	t.Helper()
	s := &Server{bin: binaries(t)}
	var err error
	if s.folder, err = os.MkdirTemp("", "hark-pg-"); err != nil { // short: a socket's path has 107 bytes at most
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(s.folder) })
	s.who = servant(t, s.folder)
	initdb := s.command("initdb", "--pgdata="+s.folder+"/data", "--username=hark", "--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C")
	if out, err := initdb.CombinedOutput(); err != nil {
		t.Fatalf("initdb: %v\n%s", err, out)
	}
	s.Start(t)
	t.Cleanup(func() {
		s.Stop(t)
		if t.Failed() {
			t.Logf("PostgreSQL said:\n%s", &s.log)
		}
	})
	return s
}

// Start starts a server that was stopped, and waits until it answers.
func (s *Server) Start(t testing.TB) {
	t.Helper()
	s.cmd = s.command("postgres", "-D", s.folder+"/data", "-k", s.folder, "-c", "listen_addresses=", "-c", "max_connections=200", "-c", "fsync=off")
	s.cmd.Stdout, s.cmd.Stderr = &s.log, &s.log
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s.wait(t)
}

// Stop breaks all connections and ends the server. Stopping it again does nothing.
func (s *Server) Stop(t testing.TB) {
	t.Helper()
	if s.cmd == nil {
		return
	}
	if err := s.cmd.Process.Signal(syscall.SIGINT); err != nil { // its "fast shutdown"
		t.Error(err)
	}
	if err := s.cmd.Wait(); err != nil {
		t.Error(err)
	}
	s.cmd = nil
}

// binaries finds the folder of initdb and postgres, which Debian keeps out of the path.
func binaries(t testing.TB) string {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if path, err := exec.LookPath("initdb"); err == nil {
		found = append(found, path)
	}
	if len(found) == 0 {
		t.Skip("PostgreSQL is missing: install it (on Debian: apt-get install postgresql)")
	}
	return filepath.Dir(found[len(found)-1])
}

// servant is who runs the server: it refuses to run as root.
func servant(t testing.TB, folder string) *syscall.Credential {
	if os.Getuid() != 0 {
		return nil
	}
	nobody, err := user.Lookup("nobody")
	if err != nil {
		t.Fatal(err)
	}
	uid, _ := strconv.Atoi(nobody.Uid)
	gid, _ := strconv.Atoi(nobody.Gid)
	if err := os.Chown(folder, uid, gid); err != nil {
		t.Fatal(err)
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
}

func (s *Server) command(name string, args ...string) *exec.Cmd {
	c := exec.Command(filepath.Join(s.bin, name), args...)
	c.Dir = "/"
	c.SysProcAttr = &syscall.SysProcAttr{Credential: s.who}
	return c
}

// url addresses a database of the server.
func (s *Server) url(name string) string {
	return "postgres:///" + name + "?" + url.Values{"host": {s.folder}, "user": {"hark"}}.Encode()
}

func (s *Server) wait(t testing.TB) {
	t.Helper()
	admin := s.open(t, "postgres")
	defer admin.Close()
	for deadline := time.Now().Add(30 * time.Second); admin.Ping() != nil; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("PostgreSQL does not answer: %v", admin.Ping())
		}
	}
}

func (s *Server) open(t testing.TB, name string) *sql.DB {
	t.Helper()
	admin, err := sql.Open("pgx", s.url(name))
	if err != nil {
		t.Fatal(err)
	}
	return admin
}

// Fresh makes an empty database and returns its URL.
func (s *Server) Fresh(t testing.TB) string {
	t.Helper()
	name := fmt.Sprintf("hark%d", s.count.Add(1))
	s.Exec(t, "postgres", "CREATE DATABASE "+name)
	return s.url(name)
}

// Exec runs a statement as an administrator in a database of that name.
func (s *Server) Exec(t testing.TB, database, statement string) {
	t.Helper()
	admin := s.open(t, database)
	defer admin.Close()
	if _, err := admin.Exec(statement); err != nil {
		t.Fatal(err)
	}
}

// Deafen breaks all connections that listen for Hark.
func (s *Server) Deafen(t testing.TB) {
	t.Helper()
	s.Exec(t, "postgres", `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'hark ear'`)
}
