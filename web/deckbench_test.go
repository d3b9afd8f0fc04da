package web

import (
	"net/http/httptest"
	"strings"
	"testing"
)

// BenchmarkDeck measures the writing of a deck alone.
func BenchmarkDeck(b *testing.B) {
	p := samplePage(strings.Repeat("At eight, or at nine? ", 10))
	r := httptest.NewRequest("GET", "/with/1", nil)
	for name, s := range map[markup]screen{wml: wmlScreen, hdml: hdmlScreen, vxml: vxmlScreen} {
		b.Run(string(name), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := writeSmall(httptest.NewRecorder(), r, p, s); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
