// Package testbed starts the real parts around Hark, for tests, the demo and the lab: Asterisk, Prosody and
// ejabberd, each with a run folder and loopback ports of its own, so that any number of them run side by side and
// collide with nothing.
//
// Nothing here is faked: Asterisk is the one that scripts/asterisk.sh fetches, configured by asterisk-conf/, and Prosody
// and ejabberd are Debian's. A test asks for them with [AsteriskFor], [ProsodyFor] and [EjabberdFor], which end them with
// the test; a program calls [StartAsterisk] and [StartProsody] and stops them itself.
//
// A part can be killed, restarted and stopped at any time; that is what the fault tests are made of. Every part dies
// with the process that started it, also when that one is killed. Linux only.
package testbed

import "testing"

// AsteriskFor starts an Asterisk that ends, and is forgotten, with the test. When the test fails, the end of
// Asterisk's log goes to the test's.
func AsteriskFor(t testing.TB, o AsteriskOptions) *Asterisk {
	t.Helper()
	a, err := StartAsterisk(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { endWith(t, "asterisk", a.LogFile, a.Discard) })
	return a
}

// ProsodyFor starts a Prosody that ends, and is forgotten, with the test. When the test fails, the end of Prosody's
// log goes to the test's.
func ProsodyFor(t testing.TB, o ProsodyOptions) *Prosody {
	t.Helper()
	p, err := StartProsody(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { endWith(t, "prosody", p.LogFile, p.Discard) })
	return p
}

// EjabberdFor starts an ejabberd that ends, and is forgotten, with the test. When the test fails, the end of ejabberd's
// log goes to the test's.
func EjabberdFor(t testing.TB, o EjabberdOptions) *Ejabberd {
	t.Helper()
	e, err := StartEjabberd(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { endWith(t, "ejabberd", e.LogFile, e.Discard) })
	return e
}

func endWith(t testing.TB, name, logFile string, discard func() error) {
	if t.Failed() {
		t.Logf("the end of %s's log:\n%s", name, tail(logFile, 4000))
	}
	if err := discard(); err != nil {
		t.Errorf("%s: %v", name, err)
	}
}
