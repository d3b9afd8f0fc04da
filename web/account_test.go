package web_test

import (
	"net/http"
	"strings"
	"testing"

	"hark/presence/presencetest"
)

// A name and a PIN of one's own: the old PIN is asked for, and a bad new one is refused in words.
func TestAccount(t *testing.T) {
	d := open(t)
	for _, cookies := range []bool{true, false} {
		b := d.browser(t, cookies)
		b.login()
		b.follow("You")
		b.follow("Name and PIN")
		b.send("Change the name", "name", " Ana <María> ")
		b.says("You are called Ana <María> now.")
		b.send("Change the name", "name", " ")
		b.says("A name needs 1 to 60 letters.")
		b.send("Change the name", "name", strings.Repeat("Ana ", 16))
		b.says("A name needs 1 to 60 letters.")
		if !strings.Contains(b.source, `value="Ana Ana `) {
			t.Error("the name that was typed is lost")
		}
		b.send("Change the name", "name", "Ana")

		b.send("Change the PIN", "pin", presencetest.AnaPIN, "new", "480273", "again", "480274")
		b.says("not the same twice")
		action, fields := b.send("Change the PIN", "pin", "000001", "new", "480273", "again", "480273")
		b.says("I cannot check the PIN as it is.")
		fields.Set("pin", presencetest.AnaPIN) // whatever stands in it now: the form was answered, and is not looked at again
		b.post(action, fields)
		b.says("I cannot check the PIN as it is.")
		b.send("Change the PIN", "pin", presencetest.AnaPIN, "new", "111111", "again", "111111")
		b.says("This PIN cannot be taken: it repeats digits.")
		action, fields = b.send("Change the PIN", "pin", presencetest.AnaPIN, "new", "480 273", "again", "480273")
		b.says("The new PIN holds from now on")
		b.post(action, fields)
		b.says("The new PIN holds from now on")

		other := d.browser(t, true)
		other.send("Log in", "user", presencetest.Ana, "pin", presencetest.AnaPIN)
		if other.status != http.StatusForbidden {
			t.Errorf("the old PIN still opens: %d", other.status)
		}
		other.send("Log in", "user", presencetest.Ana, "pin", "480273")
		other.says("Welcome, Ana")
		if err := d.Accounts.SetPIN(t.Context(), presencetest.Ana, presencetest.AnaPIN); err != nil {
			t.Fatal(err)
		}
	}
}
