package audio

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestNoOrphanOlderThanAnHour: whenever in three hours a crash leaves something behind, a running store has it removed an
// hour later.
func TestNoOrphanOlderThanAnHour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore(t, func(c *Config) { c.GCEvery, c.Now = 0, time.Now })
		left := map[string]time.Time{}
		for i := range 36 {
			key := time.Now().UTC().Format(dayLayout) + "/" + strings.Repeat("a", nameLen-2) + fmt.Sprintf("%c%c", 'a'+i/6, 'a'+i%6) + ".wav"
			if err := s.backend.Put(t.Context(), key, []byte("x")); err != nil {
				t.Fatal(err)
			}
			if err := os.Chtimes(filepath.Join(s.dir, key), time.Now(), time.Now()); err != nil { // the bubble's clock
				t.Fatal(err)
			}
			left[key] = time.Now()
			time.Sleep(5 * time.Minute)
			synctest.Wait()
			for _, name := range s.files(t) {
				if age := time.Since(left[name]); age > time.Hour {
					t.Fatalf("%s was left %v ago", name, age)
				}
			}
		}
		if n := len(s.files(t)); n < 3 || n > 12 {
			t.Errorf("%d of the youngest are left: they could be of a Put in progress", n)
		}
	})
}
