package accounts

import (
	"context"
	"errors"
	"testing"
	"time"
)

func TestPhoneIsProvenByACall(t *testing.T) {
	ctx := context.Background()
	r := newRig(t, cheap)
	user, _ := r.add(t)
	_, err := r.Phone(ctx, user)
	wantErr(t, err, ErrNotFound)
	wantErr(t, r.TestPhone(ctx, "1234567", "201"), ErrNotFound)
	wantErr(t, r.SetPhone(ctx, user, Phone{}), ErrNotFound)

	must(t, r.TestPhone(ctx, user, " 201"))
	if tests, rings, err := r.PhonesToCall(ctx); len(tests)+len(rings) > 0 || err != nil {
		t.Errorf("it is called at once: %v, %v, %v", tests, rings, err)
	}
	r.advance(testDelay)
	tests, rings, err := r.PhonesToCall(ctx)
	if len(tests) != 1 || tests[0] != user || len(rings) > 0 || err != nil {
		t.Errorf("due are %v, %v, %v", tests, rings, err)
	}
	for i, want := range []bool{true, false} {
		if ok, err := r.TakeTest(ctx, user); ok != want || err != nil {
			t.Errorf("take %d: %v, %v", i, ok, err)
		}
	}
	for i, c := range []struct {
		number string
		fresh  bool
	}{{"202", false}, {"201", true}, {"201", false}} {
		if fresh, err := r.ProvePhone(ctx, user, c.number); fresh != c.fresh || err != nil {
			t.Errorf("proof %d: %v, %v", i, fresh, err)
		}
	}
	must(t, r.SetPhone(ctx, user, Phone{Ring: true, QuietFrom: 22, QuietTo: 7, Daily: 2}))
	want := Phone{Number: "201", Proven: true, Ring: true, QuietFrom: 22, QuietTo: 7, Daily: 2}
	if got, err := r.Phone(ctx, user); got != want || err != nil {
		t.Errorf("it is %+v, %v", got, err)
	}
	if _, rings, err := r.PhonesToCall(ctx); len(rings) != 1 || err != nil {
		t.Errorf("to be called are %v, %v", rings, err)
	}
	must(t, r.TestPhone(ctx, user, "203"))
	if got, _ := r.Phone(ctx, user); got.Proven || got.Ring {
		t.Errorf("another number counts as proven: %+v", got)
	}
	must(t, r.DropPhone(ctx, user, "201"))
	if got, err := r.Phone(ctx, user); got.Number != "203" || err != nil {
		t.Errorf("it is %+v, %v", got, err)
	}
	must(t, r.DropPhone(ctx, user, "203"))
	_, err = r.Phone(ctx, user)
	wantErr(t, err, ErrNotFound)
	must(t, r.BindPhone(ctx, user, "204"))
	if got, err := r.Phone(ctx, user); !got.Proven || got.Ring || err != nil {
		t.Errorf("an administrator's is %+v, %v", got, err)
	}
}

func TestCallsADay(t *testing.T) {
	ctx := context.Background()
	r := newRig(t, cheap)
	user, _ := r.add(t)
	for range testsDaily {
		must(t, r.TestPhone(ctx, user, "201"))
	}
	wantErr(t, r.TestPhone(ctx, user, "202"), ErrTooOften)
	r.advance(24 * time.Hour)
	must(t, r.TestPhone(ctx, user, "201"))
	if ok, err := r.TakeRing(ctx, user, 1); ok || err != nil {
		t.Errorf("an unproven telephone is called: %v, %v", ok, err)
	}
	_, err := r.ProvePhone(ctx, user, "201")
	must(t, err)
	must(t, r.SetPhone(ctx, user, Phone{Ring: true, Daily: 2}))
	for i, c := range []struct {
		message int64
		ok      bool
		err     error
	}{{1, true, nil}, {1, false, nil}, {3, true, nil}, {2, false, nil}, {4, false, ErrTooOften}, {4, false, nil}} {
		if ok, err := r.TakeRing(ctx, user, c.message); ok != c.ok || !errors.Is(err, c.err) {
			t.Errorf("call %d: %v, %v", i, ok, err)
		}
	}
	r.advance(24 * time.Hour)
	if ok, err := r.TakeRing(ctx, user, 5); !ok || err != nil {
		t.Errorf("the next day: %v, %v", ok, err)
	}
	wantErr(t, r.TakeTalk(ctx, user, 0), ErrTooOften)
	must(t, r.TakeTalk(ctx, user, 1))
	wantErr(t, r.TakeTalk(ctx, user, 1), ErrTooOften)
	must(t, r.Delete(ctx, user))
	_, err = r.Phone(ctx, user)
	wantErr(t, err, ErrNotFound)
}

// TestDayBeginsHere counts calls by the days of the machine's time zone, in which the hours of rest are told too.
func TestDayBeginsHere(t *testing.T) {
	ctx := t.Context()
	r := newRig(t, cheap)
	user, _ := r.add(t)
	r.zone = time.FixedZone("east", 5*60*60)
	r.clock.Store(time.Date(2026, 6, 1, 18, 59, 0, 0, time.UTC).UnixMilli())
	must(t, r.TakeTalk(ctx, user, 1))
	wantErr(t, r.TakeTalk(ctx, user, 1), ErrTooOften)
	r.advance(2 * time.Minute) // it is past midnight there
	must(t, r.TakeTalk(ctx, user, 1))
	r.advance(6 * time.Hour) // and here past midnight in UTC
	wantErr(t, r.TakeTalk(ctx, user, 1), ErrTooOften)
}
