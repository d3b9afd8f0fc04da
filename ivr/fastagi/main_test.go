package fastagi

import (
	"testing"

	"go.uber.org/goleak"
)

// TestMain looks that no test leaves a goroutine.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
