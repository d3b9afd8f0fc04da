package audio

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if top := os.Getenv(victimDir); top != "" {
		victim(top)
	}
	goleak.VerifyTestMain(m)
}
