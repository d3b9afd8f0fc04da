package accounts

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// desk is a Tickets with a clock that stands still.
func desk() (*Tickets, *atomic.Int64) {
	now := new(atomic.Int64)
	now.Store(1_800_000_000_000)
	return &Tickets{Key: []byte(strings.Repeat("k", 32)), Now: func() time.Time { return time.UnixMilli(now.Load()) }}, now
}

func TestTicketWorksOnce(t *testing.T) {
	desk, _ := desk()
	claims := Claims{User: "4829305", Session: "s1", Target: "ps2"}
	ticket := desk.Issue(claims, TicketLife)
	got, err := desk.Redeem(ticket, "ps2")
	if got != claims || err != nil {
		t.Errorf("claims are %+v, %v", got, err)
	}
	_, err = desk.Redeem(ticket, "ps2")
	wantErr(t, err, ErrRefused)
	if strings.Contains(ticket, "4829305") {
		t.Error("the number stands in it in clear")
	}
}

func TestTicketWorksOnceAmongRacers(t *testing.T) {
	desk, _ := desk()
	ticket := desk.Issue(Claims{User: "1"}, TicketLife)
	var good atomic.Int64
	var wg sync.WaitGroup
	for range 32 {
		wg.Go(func() {
			if _, err := desk.Redeem(ticket, "a"); err == nil {
				good.Add(1)
			}
		})
	}
	wg.Wait()
	if good.Load() != 1 {
		t.Errorf("it worked %d times", good.Load())
	}
}

func TestTicketTarget(t *testing.T) {
	desk, _ := desk()
	ticket := desk.Issue(Claims{User: "1", Target: "ps2"}, TicketLife)
	_, err := desk.Redeem(ticket, "ps1")
	wantErr(t, err, ErrRefused)
	_, err = desk.Redeem(ticket, "ps2") // the refusal has not used it up
	must(t, err)
	_, err = desk.Redeem(desk.Issue(Claims{User: "1"}, TicketLife), "any")
	must(t, err)
}

func TestTicketEnds(t *testing.T) {
	desk, now := desk()
	early, late := desk.Issue(Claims{User: "1"}, TicketLife), desk.Issue(Claims{User: "1"}, TicketLife)
	now.Add(TicketLife.Milliseconds() - 1)
	_, err := desk.Redeem(early, "a")
	must(t, err)
	now.Add(1)
	_, err = desk.Redeem(late, "a")
	wantErr(t, err, ErrRefused)
	for range 1000 {
		now.Add(1000)
		_, err := desk.Redeem(desk.Issue(Claims{User: "1"}, TicketLife), "a")
		must(t, err)
	}
	if len(desk.used) > 100 {
		t.Errorf("%d used tickets are remembered", len(desk.used))
	}
}

func TestForgedTickets(t *testing.T) {
	honest, _ := desk()
	ticket := honest.Issue(Claims{User: "4829305", Session: "s", Target: "t"}, TicketLife)
	for i := range len(ticket) {
		forged := []byte(ticket)
		if forged[i]++; forged[i] == 'Z'+1 {
			forged[i] = 'A'
		}
		_, err := honest.Redeem(string(forged), "t")
		wantErr(t, err, ErrRefused)
	}
	other := &Tickets{Key: []byte(strings.Repeat("x", 32)), Now: honest.Now}
	for _, forged := range []string{"", "x", ticket[:len(ticket)-1], ticket + "A", ticket + "\n", strings.Repeat("A", 5000), other.Issue(Claims{User: "4829305"}, TicketLife)} {
		_, err := honest.Redeem(forged, "t")
		wantErr(t, err, ErrRefused)
	}
	_, err := honest.Redeem(ticket, "t")
	must(t, err)
}

func TestRedeemAndRefer(t *testing.T) {
	ctx := context.Background()
	r := newRig(t, cheap)
	user, pin := r.add(t)
	ticket, err := r.Authenticate(ctx, Credentials{User: user, PIN: pin, Door: "web"})
	must(t, err)
	claims, err := r.Redeem(ctx, ticket, "ps1")
	if want := (Claims{User: user}); claims != want || err != nil {
		t.Errorf("claims are %+v, %v", claims, err)
	}
	want := Claims{User: user, Session: "s", Target: "ps2"}
	ticket, err = r.Refer(ctx, want)
	must(t, err)
	if claims, err := r.Redeem(ctx, ticket, "ps2"); claims != want || err != nil {
		t.Errorf("claims are %+v, %v", claims, err)
	}
	ticket, err = r.Authenticate(ctx, Credentials{User: user, PIN: pin, Door: "web"})
	must(t, err)
	r.advance(TicketLife)
	_, err = r.Redeem(ctx, ticket, "ps1")
	wantErr(t, err, ErrRefused)
}

// FuzzPayload: whatever is read is written again the same.
func FuzzPayload(f *testing.F) {
	f.Add(payload{Claims: Claims{User: "4829305", Session: "s", Target: "t"}, ends: 1}.append(nil))
	f.Add(payload{}.append(nil))
	f.Add([]byte("short"))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := parsePayload(b)
		if err != nil {
			return
		}
		if again := p.append(nil); string(again) != string(b) {
			t.Errorf("%x became %x", b, again)
		}
	})
}

// FuzzTicket: nothing that was not issued opens.
func FuzzTicket(f *testing.F) {
	honest, _ := desk()
	issued := honest.seal(payload{Claims: Claims{User: "1"}, ends: 1}) // the same in every process of the fuzzer
	f.Add(issued)
	f.Add(issued + "=")
	f.Add("\n" + issued)
	f.Fuzz(func(t *testing.T, ticket string) {
		if _, err := honest.open(ticket); err == nil && ticket != issued {
			t.Errorf("%q opens", ticket)
		}
	})
}
