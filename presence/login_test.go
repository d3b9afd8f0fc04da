package presence_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"hark/presence"
	"hark/presence/presencetest"
	"hark/presence/wire"
)

func TestLogin(t *testing.T) {
	b := presencetest.New(t)
	client, reply := b.Login(presencetest.Ana, presencetest.AnaPIN, "")
	if reply.User != presencetest.Ana || reply.Name != "Ana" || reply.Resumed || reply.Waiting != 0 || reply.Epoch != 1 {
		t.Errorf("the answer is %+v", reply)
	}
	if len(reply.Session) != 22 || !presence.ValidCode(reply.Code) {
		t.Errorf("token %q, session number %q", reply.Session, reply.Code)
	}
	b.Online(1)
	if _, err := client.Login(t.Context(), wire.LoginRequest{User: presencetest.Ana}); !presence.HasCode(err, wire.Syntax) {
		t.Errorf("a second LOGIN: %v", err)
	}
	_, again := b.Login(presencetest.Ana, presencetest.AnaPIN, "web")
	if !again.Resumed || again.Epoch != 1 || again.Session == reply.Session {
		t.Errorf("a second client: %+v", again)
	}
	if n := b.XMPP.Counts().Opens; n != 1 {
		t.Errorf("%d logins at the network for two clients", n)
	}
}

func TestLoginByTicket(t *testing.T) {
	b := presencetest.New(t)
	ticket, err := b.Accounts.Authenticate(t.Context(), credentials(presencetest.Ben, presencetest.BenPIN))
	if err != nil {
		t.Fatal(err)
	}
	reply, err := b.Client().Login(t.Context(), wire.LoginRequest{Ticket: ticket})
	if err != nil || reply.User != presencetest.Ben {
		t.Fatalf("%+v, %v", reply, err)
	}
	for _, bad := range []string{ticket, "forged"} {
		if _, err := b.Client().Login(t.Context(), wire.LoginRequest{Ticket: bad}); !presence.HasCode(err, wire.AuthFailed) {
			t.Errorf("a used or forged ticket: %v", err)
		}
	}
}

// Whoever is wrong three times is shown out; unknown user and wrong PIN cannot be told apart.
func TestLoginRefused(t *testing.T) {
	b := presencetest.New(t)
	client := b.Client()
	var said []string
	for _, req := range []wire.LoginRequest{
		{User: presencetest.Ana, PIN: "000000"}, {User: "9999999", PIN: "000000"}, {},
	} {
		_, err := client.Login(t.Context(), req)
		e, ok := errors.AsType[*presence.Error](err)
		if !ok || e.Code != wire.AuthFailed {
			t.Fatalf("%v", err)
		}
		said = append(said, e.Text+e.Arg)
	}
	if said[0] != said[1] {
		t.Errorf("%q is not %q", said[0], said[1])
	}
	<-client.Done()
	if err := client.Ping(t.Context()); !errors.Is(err, presence.ErrClosed) {
		t.Errorf("after three wrong tries: %v", err)
	}
	if s := b.Server.Stats(); s.Sessions != 0 {
		t.Errorf("%d sessions", s.Sessions)
	}
}

func TestVerbsNeedASession(t *testing.T) {
	b := presencetest.New(t)
	client := b.Client()
	if _, err := client.Fetch(t.Context(), wire.FetchRequest{}); !presence.HasCode(err, wire.NoSession) {
		t.Errorf("FETCH: %v", err)
	}
	if err := client.Ping(t.Context()); err != nil {
		t.Errorf("PING: %v", err)
	}
}

func TestResumeByCode(t *testing.T) {
	b := presencetest.New(t)
	client, first := b.Login(presencetest.Ana, presencetest.AnaPIN, "")
	client.Close()

	resume := func(req wire.ResumeRequest) (wire.SessionReply, error) { return b.Client().Resume(t.Context(), req) }
	for name, req := range map[string]wire.ResumeRequest{
		"no caller id":       {Code: first.Code},
		"another caller id":  {Code: first.Code, Caller: "+4930999"},
		"a wrong PIN":        {Code: first.Code, PIN: "000000"},
		"somebody's PIN":     {Code: first.Code, PIN: presencetest.BenPIN},
		"a slip":             {Code: slip(first.Code), Caller: "+49301234"},
		"no number, the PIN": {PIN: presencetest.AnaPIN},
	} {
		if _, err := resume(req); !presence.HasCode(err, wire.AuthFailed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	second, err := resume(wire.ResumeRequest{Code: first.Code, Caller: "+49301234"})
	if err != nil || !second.Resumed || second.Code == first.Code || second.User != presencetest.Ana {
		t.Fatalf("from the caller id: %+v, %v", second, err)
	}
	if _, err := resume(wire.ResumeRequest{Code: first.Code, Caller: "+49301234"}); !presence.HasCode(err, wire.AuthFailed) {
		t.Errorf("the number was not used up: %v", err)
	}
	third, err := resume(wire.ResumeRequest{Code: second.Code, PIN: presencetest.AnaPIN, Caller: "+4930999"})
	if err != nil || !third.Resumed {
		t.Errorf("from elsewhere with the PIN: %v", err)
	}
	if n := b.XMPP.Counts().Opens; n != 1 {
		t.Errorf("%d logins at the network", n)
	}
}

// slip changes one digit.
func slip(code string) string {
	return string('0'+(code[0]-'0'+1)%10) + code[1:]
}

// Ten wrong session numbers an hour from one caller id; the eleventh right one is refused, and an hour later taken.
func TestResumeLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := withoutBeats(t)
		_, reply := b.Login(presencetest.Ana, presencetest.AnaPIN, "")
		for range 10 {
			b.Client().Resume(t.Context(), wire.ResumeRequest{Code: "000000000", Caller: "+49301234"})
		}
		right := wire.ResumeRequest{Code: reply.Code, Caller: "+49301234"}
		if _, err := b.Client().Resume(t.Context(), right); !presence.HasCode(err, wire.AuthFailed) {
			t.Errorf("after ten wrong ones: %v", err)
		}
		right.PIN, right.Caller = presencetest.AnaPIN, "+4930999"
		if _, err := b.Client().Resume(t.Context(), right); err != nil {
			t.Errorf("from another caller id: %v", err)
		}
		_, reply = b.Login(presencetest.Ana, presencetest.AnaPIN, "")
		time.Sleep(time.Hour)
		if _, err := b.Client().Resume(t.Context(), wire.ResumeRequest{Code: reply.Code, Caller: "+49301234"}); err != nil {
			t.Errorf("an hour later: %v", err)
		}
	})
}

// A token that is renewed leaves its predecessor good, and the one before that not.
func TestResumeByToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := withoutBeats(t)
		client, login := b.Login(presencetest.Ana, presencetest.AnaPIN, "web")
		client.Close()
		resume := func(token string, renew bool) (wire.SessionReply, error) {
			c := b.Client()
			defer c.Close()
			return c.Resume(t.Context(), wire.ResumeRequest{Session: token, Renew: renew})
		}
		if same, err := resume(login.Session, false); err != nil || same.Session != login.Session || !same.Resumed || same.Code != "" || same.Name != "Ana" {
			t.Fatalf("%+v, %v", same, err)
		}
		hasty := b.Client()
		brief, err := hasty.Resume(t.Context(), wire.ResumeRequest{Session: login.Session, Brief: true})
		if err != nil || brief.Session != login.Session || brief.User != presencetest.Ana || brief.Name != "" {
			t.Fatalf("in brief: %+v, %v", brief, err)
		}
		hasty.Close()
		asked := b.Client()
		number, err := asked.Resume(t.Context(), wire.ResumeRequest{Session: login.Session, Number: true})
		if err != nil || !presence.ValidCode(number.Code) || number.Code == login.Code {
			t.Fatalf("a session number for the asking: %+v, %v", number, err)
		}
		asked.Close()
		second, err := resume(login.Session, true)
		if err != nil || second.Session == login.Session {
			t.Fatalf("renewed: %+v, %v", second, err)
		}
		for range 5 { // Back, and Reload
			if again, err := resume(login.Session, true); err != nil || again.Session != second.Session {
				t.Errorf("the page before: %v", err)
			}
		}
		third, err := resume(second.Session, true)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := resume(login.Session, false); !presence.HasCode(err, wire.Expired) {
			t.Errorf("two pages before: %v", err)
		}
		other, otherLogin := b.Login(presencetest.Ana, presencetest.AnaPIN, "web")
		other.Close()
		for range 3 {
			if otherLogin, err = resume(otherLogin.Session, true); err != nil {
				t.Fatal(err)
			}
		}
		token := third.Session
		for range 80 { // another browser does not push the first one out; but after 12 hours it is over
			if third, err = resume(token, true); err != nil {
				break
			}
			token = third.Session
			time.Sleep(9 * time.Minute)
		}
		if err != nil {
			t.Errorf("within 12 hours: %v", err)
		}
		if _, err := resume(token, true); !presence.HasCode(err, wire.Expired) {
			t.Errorf("after 12 hours: %v", err)
		}
		_, login = b.Login(presencetest.Ana, presencetest.AnaPIN, "web")
		time.Sleep(11 * time.Minute)
		if _, err := resume(login.Session, false); !presence.HasCode(err, wire.Expired) {
			t.Errorf("idle for 11 minutes: %v", err)
		}
	})
}

func TestLogout(t *testing.T) {
	b := presencetest.New(t)
	other, _ := b.Login(presencetest.Ana, presencetest.AnaPIN, "web")
	client, reply := b.Login(presencetest.Ana, presencetest.AnaPIN, "")
	b.Online(1)
	if err := client.Logout(t.Context()); err != nil {
		t.Fatal(err)
	}
	if c := b.XMPP.Counts(); c.Online != 0 || c.Logouts != 1 {
		t.Errorf("at the network: %+v", c)
	}
	<-client.Done()
	<-other.Done()
	if _, err := b.Client().Resume(t.Context(), wire.ResumeRequest{Session: reply.Session}); !presence.HasCode(err, wire.Expired) {
		t.Errorf("the token: %v", err)
	}
	_, again := b.Login(presencetest.Ana, presencetest.AnaPIN, "")
	if again.Resumed || again.Epoch != 2 {
		t.Errorf("the next login: %+v", again)
	}
}

// A client that hangs up, or says DETACH, leaves the session and the external login as they are.
func TestDetach(t *testing.T) {
	b := presencetest.New(t)
	hangsUp, _ := b.Login(presencetest.Ana, presencetest.AnaPIN, "")
	leaves, _ := b.Login(presencetest.Ana, presencetest.AnaPIN, "")
	b.Online(1)
	hangsUp.Close()
	if err := leaves.Detach(t.Context()); err != nil {
		t.Fatal(err)
	}
	<-leaves.Done()
	b.Until("no client", func() bool { return b.Server.Stats().Clients == 0 })
	if s, n := b.Server.Stats(), b.XMPP.Counts(); s.Sessions != 1 || n.Online != 1 || n.Logouts != 0 {
		t.Errorf("%+v, %+v", s, n)
	}
}

// While the session database does not answer, a login is told within three seconds to try later; it works again by itself (F6).
func TestLoginWithoutDatabase(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, store := withStore(t)
		store.stuck.Store(true)
		client, begun := b.Client(), time.Now()
		login := wire.LoginRequest{User: presencetest.Ana, PIN: presencetest.AnaPIN}
		_, err := client.Login(t.Context(), login)
		if took := time.Since(begun); !presence.HasCode(err, wire.TryLater) || took > 3*time.Second {
			t.Errorf("after %v: %v", took, err)
		}
		store.stuck.Store(false)
		if _, err := client.Login(t.Context(), login); err != nil {
			t.Error(err)
		}
	})
}
