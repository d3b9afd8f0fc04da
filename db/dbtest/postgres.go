// Package dbtest starts a real PostgreSQL for tests and for the lab, from the machine's own packages.
package dbtest

import (
	"errors"
	"net/url"
	"path"
	"testing"
)

// Postgres starts a server that ends with the test; it skips the test where PostgreSQL is not installed.
func Postgres(t testing.TB) *Server {
	t.Helper()
	s, err := Run(false)
	if errors.Is(err, ErrMissing) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Logf("PostgreSQL said:\n%s", &s.log)
		}
	})
	return s
}

// Start is Restart for tests.
func (s *Server) Start(t testing.TB) {
	t.Helper()
	if err := s.Restart(); err != nil {
		t.Fatal(err)
	}
}

// Stop is Halt for tests.
func (s *Server) Stop(t testing.TB) {
	t.Helper()
	if err := s.Halt(); err != nil {
		t.Error(err)
	}
}

// Fresh is Create for tests.
func (s *Server) Fresh(t testing.TB) string {
	t.Helper()
	url, err := s.Create()
	if err != nil {
		t.Fatal(err)
	}
	return url
}

// Exec runs a statement as an administrator in a database of that name.
func (s *Server) Exec(t testing.TB, database, statement string) {
	t.Helper()
	if err := s.run(database, statement); err != nil {
		t.Fatal(err)
	}
}

// Deafen breaks all connections that listen for Hark.
func (s *Server) Deafen(t testing.TB) {
	t.Helper()
	s.Exec(t, "postgres", `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'hark ear'`)
}

// Break breaks all connections to the server, in the middle of whatever they do.
func (s *Server) Break(t testing.TB) {
	t.Helper()
	s.Exec(t, "postgres", `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()`)
}

// Name is the name of the database that a URL of Create's addresses.
func Name(database string) string {
	u, err := url.Parse(database)
	if err != nil {
		panic(err) // it is one that Create made
	}
	return path.Base(u.Path)
}
