package presence_test

import (
	"testing"
	"testing/synctest"
	"time"

	"hark/presence"
	"hark/presence/presencetest"
	"hark/presence/wire"
)

// A session number is good for 24 hours (threat T4), and no longer than 7 days however often somebody tries it.
func TestHowLongNumbersHold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := withoutBeats(t)
		resume := func(req wire.ResumeRequest) (wire.SessionReply, error) {
			c := b.Client()
			defer c.Close()
			return c.Resume(t.Context(), req)
		}
		stays, login := b.Login(presencetest.Ana, presencetest.AnaPIN, "") // keeps the session from ending
		time.Sleep(24*time.Hour - time.Minute)
		login, err := resume(wire.ResumeRequest{Code: login.Code, PIN: presencetest.AnaPIN})
		if err != nil {
			t.Fatalf("within 24 hours: %v", err)
		}
		time.Sleep(24*time.Hour + time.Minute)
		if _, err := resume(wire.ResumeRequest{Code: login.Code, PIN: presencetest.AnaPIN}); !presence.HasCode(err, wire.AuthFailed) {
			t.Errorf("after 24 hours: %v", err)
		}
		_, login = b.Login(presencetest.Ana, presencetest.AnaPIN, "")
		for range 8 {
			if _, err := resume(wire.ResumeRequest{Code: login.Code, PIN: "000000"}); !presence.HasCode(err, wire.AuthFailed) {
				t.Errorf("a wrong PIN: %v", err)
			}
			time.Sleep(22 * time.Hour)
		}
		if _, err := resume(wire.ResumeRequest{Code: login.Code, PIN: presencetest.AnaPIN}); !presence.HasCode(err, wire.AuthFailed) {
			t.Errorf("after 7 days: %v", err)
		}
		stays.Close()
	})
}

// A browser's token is good for ten minutes after each use, and for 12 hours after the login (threat T5).
func TestHowLongTokensHold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := withoutBeats(t)
		client, login := b.Login(presencetest.Ana, presencetest.AnaPIN, "web")
		client.Close()
		token := login.Session
		use := func() error {
			c := b.Client()
			defer c.Close()
			reply, err := c.Resume(t.Context(), wire.ResumeRequest{Session: token, Renew: true})
			if err == nil {
				token = reply.Session
			}
			return err
		}
		for spent := 9 * time.Minute; spent < 12*time.Hour; spent += 9 * time.Minute {
			time.Sleep(9 * time.Minute)
			if err := use(); err != nil {
				t.Fatalf("after %v: %v", spent, err)
			}
		}
		time.Sleep(9 * time.Minute)
		if err := use(); !presence.HasCode(err, wire.Expired) {
			t.Errorf("after 12 hours: %v", err)
		}
		client, login = b.Login(presencetest.Ana, presencetest.AnaPIN, "web")
		client.Close()
		token = login.Session
		time.Sleep(10*time.Minute + time.Second)
		if err := use(); !presence.HasCode(err, wire.Expired) {
			t.Errorf("after ten minutes: %v", err)
		}
	})
}
