package ivr_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"hark/ivr"
	"hark/ivr/ivrtest"
)

// desk knows the telephones of users, and whom Hark calls back.
type desk struct {
	mu    sync.Mutex
	ends  map[string]ivrtest.Far // what becomes of a call to a user
	back  ivr.CallBack
	tests int // numbers called to be proven
}

// theFirstNumber begins the numbers that may be dialled.
const theFirstNumber = "555"

// Reach makes it an ivr.Phones.
func (d *desk) Reach(_ context.Context, _, user string) (string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, ok := d.ends[user]; !ok {
		return "", ivr.ErrNoWay
	}
	return "TEST/" + user, nil
}

// dialled is what becomes of a call.
func (d *desk) dialled(endpoint string) ivrtest.Far {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.ends[strings.TrimPrefix(endpoint, "TEST/")]
}

// setTelephone reads "of 4711009: answers 20s", "of 4711009: busy".
func (d *desk) setTelephone(rest string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	user, what, ok := strings.Cut(strings.TrimPrefix(rest, "of "), ": ")
	far := ivrtest.Far{End: ivr.DialEnd(what)}
	if text, answers := strings.CutPrefix(what, "answers "); answers {
		talk, err := time.ParseDuration(text)
		if err != nil {
			return err
		}
		far = ivrtest.Far{Talk: talk}
	}
	if !ok {
		return fmt.Errorf("%q is not of the form: of USER: END", rest)
	}
	d.ends[user] = far
	return nil
}

// CallBack and those below make it ivr.CallBacks.
func (d *desk) CallBack(context.Context, string) (ivr.CallBack, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.back, nil
}

func (d *desk) SetCallBack(_ context.Context, _ string, b ivr.CallBack) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.back.On, d.back.QuietFrom, d.back.QuietTo, d.back.Daily = b.On, b.QuietFrom, b.QuietTo, b.Daily
	return nil
}

func (d *desk) Test(_ context.Context, _, number string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !strings.HasPrefix(number, theFirstNumber) {
		return ivr.ErrNoWay
	}
	if d.tests++; d.tests > 2 {
		return ivr.ErrTooOften
	}
	d.back = ivr.CallBack{Number: number, Testing: true, Daily: 5}
	return nil
}

func (d *desk) Prove(_ context.Context, _, number string) (bool, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.back.Proven || d.back.Number != number {
		return false, nil
	}
	d.back.Proven, d.back.Testing, d.back.On = true, false, true
	return true, nil
}

func (d *desk) Deny(_ context.Context, _, number string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.back.Number == number {
		d.back = ivr.CallBack{}
	}
	return nil
}

// setCalls reads "back to 5551234": the number is proven; "unanswered": the call to prove it was made in vain; and "rest from
// 22 to 7": that was set on the web.
func (d *desk) setCalls(rest string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if rest == "unanswered" {
		d.back.Testing = false
		return nil
	}
	if _, err := fmt.Sscanf(rest, "rest from %d to %d", &d.back.QuietFrom, &d.back.QuietTo); err == nil {
		return nil
	}
	d.back = ivr.CallBack{Number: strings.TrimPrefix(rest, "back to "), Proven: true, On: true, Daily: 5}
	return nil
}

// checkRings compares whom Hark calls back: "rings nobody", "rings 5551234 but from 22 to 7, 5 a day".
func (d *desk) checkRings(rest string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	got := "nobody"
	if d.back.On && d.back.Proven {
		got = fmt.Sprintf("%s but from %d to %d, %d a day", d.back.Number, d.back.QuietFrom, d.back.QuietTo, d.back.Daily)
	}
	return same(got, rest)
}
