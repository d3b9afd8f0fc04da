package testbed

import (
	"testing"
)

func TestAsterisk(t *testing.T) {
	a := AsteriskFor(t, AsteriskOptions{})
	t.Log(a.Log())
}
