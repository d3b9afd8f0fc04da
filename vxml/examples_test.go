package vxml

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// TestExamples calls the example applications.
func TestExamples(t *testing.T) {
	for name, script := range map[string]string{
		"announcement": `
			call
			hear Welcome to the city library.
			hear For our opening hours press 1.
			press 1
			hear Tuesday to Saturday
			hear For our opening hours
			press 5
			hear nothing behind that key
			press 2
			hear tram number 4
			hear Zero, the end
			press 0
			listen Good bye.
			ended`,
		"information": `
			call
			hear three digits
			press 101
			hear From Market: Tram 4 to the harbour in 3 minutes.
			hear Bus 12 to the station in 8 minutes.
			hear For another stop
			press 1
			hear three digits
			press 999
			hear no stop with the number 9 9 9.
			hear For another stop
			press *
			hear three digits
			press 102
			hear Tram 4 to the market in 5
			press 2
			hear You asked for 3 stops. Good bye.
			ended`,
		"office": `
			transfer noanswer
			call from 555
			hear For Anna Green press 1. For our office press 2.
			press 2
			hear Nobody can come
			listen (tone)
			say 3s
			press 1
			hear You said:
			hear To send it press 1
			press 2
			listen (tone)
			say 4s
			press 1
			hear To send it
			press 1
			hear on its way
			object hark:sendmap[from:tel:555 to:1000001] voice of 4s
			ended`,
	} {
		t.Run(name, func(t *testing.T) {
			s := siteOf(&txtar.Archive{})
			files, err := filepath.Glob(filepath.Join("examples", name, "*"))
			if err != nil || len(files) == 0 {
				t.Fatal("no files", err)
			}
			for _, f := range files {
				if s.files[filepath.Base(f)], err = os.ReadFile(f); err != nil {
					t.Fatal(err)
				}
			}
			playCase(t, script, s, "http://app.example/main.vxml", t.TempDir())
		})
	}
}
