package dbtest

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"time"
)

// Standby starts a second server that follows this one, and has this one wait for it at every commit, so that nothing
// that was committed is missing there. Close ends it.
func (s *Server) Standby() (_ *Server, err error) {
	other := &Server{sync: s.sync, bin: s.bin}
	if other.folder, err = os.MkdirTemp("", "hark-pg-"); err != nil {
		return nil, err
	}
	if err := s.follow(other); err != nil {
		return nil, errors.Join(err, other.Close())
	}
	return other, nil
}

func (s *Server) follow(other *Server) (err error) {
	if other.who, err = servant(other.folder); err != nil {
		return err
	}
	backup := other.command("pg_basebackup", "--pgdata="+other.folder+"/data", "--host="+s.folder, "--username=hark",
		"--write-recovery-conf", "--checkpoint=fast", "--no-sync")
	if out, err := backup.CombinedOutput(); err != nil {
		return fmt.Errorf("pg_basebackup: %w\n%s", err, out)
	}
	if err := other.Restart(); err != nil {
		return err
	}
	for _, statement := range []string{`ALTER SYSTEM SET synchronous_standby_names = '*'`, `SELECT pg_reload_conf()`} {
		if err := s.run("postgres", statement); err != nil {
			return err
		}
	}
	return s.await("a synchronous standby", `SELECT 1 / count(*) FROM pg_stat_replication WHERE sync_state = 'sync'`)
}

// await runs a statement until it succeeds.
func (s *Server) await(what, statement string) error {
	for deadline := time.Now().Add(startLimit); ; time.Sleep(50 * time.Millisecond) {
		err := s.run("postgres", statement)
		if err == nil {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("PostgreSQL has not %s: %w", what, err)
		}
	}
}

// Kill ends the server as a power cut would.
func (s *Server) Kill() error {
	if err := s.cmd.Process.Kill(); err != nil {
		return err
	}
	_ = s.cmd.Wait() // it says "killed"
	s.cmd = nil
	return nil
}

// Promote makes a standby the primary and returns once it takes writes.
func (s *Server) Promote() error { return s.run("postgres", `SELECT pg_promote()`) }

// Either addresses a database of this server or of the other, whichever takes writes.
func (s *Server) Either(other *Server, database string) string {
	u, err := url.Parse(database)
	if err != nil {
		panic(err) // it is one that Create made
	}
	query := u.Query()
	query.Set("host", s.folder+","+other.folder)
	query.Set("target_session_attrs", "read-write")
	return "postgres:///" + Name(database) + "?" + query.Encode()
}
