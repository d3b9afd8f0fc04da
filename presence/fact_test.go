package presence_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"hark/presence/presencetest"
	"hark/presence/wire"
)

// TestChangeBesideAnother has two clients of one session change a list, the second one between the first one's look and its
// answer: what both did is there.
func TestChangeBesideAnother(t *testing.T) {
	b := presencetest.New(t)
	phone, _ := b.Login(presencetest.Ana, presencetest.AnaPIN, "")
	web, _ := b.Login(presencetest.Ana, presencetest.AnaPIN, "web")
	add := func(to *[]string, word string) func() any {
		return func() any {
			if slices.Contains(*to, word) {
				return *to
			}
			return append(*to, word)
		}
	}
	for _, verb := range []string{wire.State, wire.Draft, wire.Place} {
		key := ""
		if verb == wire.State {
			key = "list"
		}
		var mine, theirs []string
		looks := 0
		err := phone.ChangeState(t.Context(), verb, key, &mine, func() any {
			if looks++; looks <= 2 {
				word := fmt.Sprint("web ", looks)
				if err := web.ChangeState(t.Context(), verb, key, &theirs, add(&theirs, word)); err != nil {
					t.Error(err)
				}
			}
			return add(&mine, "phone")()
		})
		if err != nil || looks != 3 {
			t.Errorf("%s: %v, after %d looks", verb, err, looks)
		}
		var got []string
		if err := web.GetState(t.Context(), verb, key, &got); err != nil || !slices.Equal(got, []string{"web 1", "web 2", "phone"}) {
			t.Errorf("%s: %q, %v", verb, got, err)
		}
		err = phone.ChangeState(t.Context(), verb, key, &mine, func() any {
			if len(mine) > 1 { // the web leaves one, which is to be seen before it is dropped
				if err := web.PutState(t.Context(), verb, key, []string{"last"}); err != nil {
					t.Error(err)
				}
			}
			return nil
		})
		if err != nil || !slices.Equal(mine, []string{"last"}) {
			t.Errorf("%s: dropped %q, %v", verb, mine, err)
		}
	}
}

// TestManyChangesAtOnce has many clients count in one fact.
func TestManyChangesAtOnce(t *testing.T) {
	const clients, times = 4, 10
	b := presencetest.New(t)
	var counting sync.WaitGroup
	for range clients {
		client, _ := b.Login(presencetest.Ana, presencetest.AnaPIN, "")
		counting.Go(func() {
			for range times {
				var n int
				if err := client.ChangeState(t.Context(), wire.State, "n", &n, func() any { return n + 1 }); err != nil {
					t.Error(err)
				}
			}
		})
	}
	counting.Wait()
	client, _ := b.Login(presencetest.Ana, presencetest.AnaPIN, "web")
	var n int
	if err := client.GetState(t.Context(), wire.State, "n", &n); err != nil || n != clients*times {
		t.Errorf("counted %d, %v", n, err)
	}
}
