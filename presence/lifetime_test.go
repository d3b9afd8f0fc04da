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
