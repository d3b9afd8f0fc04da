package main

import (
	"context"
	"fmt"
	"time"
)

// keepRunning brings the system up, tells how to use it, and keeps it until interrupted.
func keepRunning(ctx context.Context, l *lab, _ []string) error {
	fmt.Fprintln(l.out, "Starting Prosody, Asterisk and Hark …")
	s, err := l.start(ctx)
	if err != nil {
		return err
	}
	defer s.stop()
	ana, err := s.addUser(ctx, "Ana", "ana@localhost", xmppUsers["ana"])
	if err != nil {
		return err
	}
	carla, err := s.addUser(ctx, "Carla", "", "")
	if err != nil {
		return err
	}
	if err := s.startHark(ctx); err != nil {
		return err
	}
	s.explain(l, ana, carla)
	select {
	case <-ctx.Done():
		fmt.Fprintln(l.out, "\nStopping; calls in progress may finish.")
		return nil
	case <-s.gone:
		return fmt.Errorf("hark ended; its log is %s", s.log)
	}
}

// explain tells how to call, and how to watch.
func (s *system) explain(l *lab, users ...user) {
	fmt.Fprintf(l.out, `
Hark is running.

  Call       sip:%s@%s        (any SIP telephone on this machine; PCMU, PCMA)
`, s.asterisk.Number, s.asterisk.SIPAddr)
	for _, u := range users {
		fmt.Fprintf(l.out, "  %-10s user number %s, PIN %s\n", u.Name, u.Number, u.PIN)
	}
	fmt.Fprintf(l.out, `  Web        http://%s/
  XMPP       %s: ana@localhost is Ana's login; ben@localhost (password %s) is free for your own client

Watch it in another terminal:
  tail -f %s
  %s -c %s session list
  %s -c %s call sip:%s@%s      (a test telephone; type "hear Enter your user number, then hash." and so on)

Ctrl-C stops everything. %s
`, s.web, s.prosody.Addr, xmppUsers["ben"], s.log, l.program, s.config(), l.program, s.config(), s.asterisk.Number, s.asterisk.SIPAddr,
		time.Now().Format(time.TimeOnly))
}
