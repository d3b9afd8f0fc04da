package g711

import "testing"

// TestCodes decodes every byte and codes it again, and looks at values of ITU-T G.711's tables.
func TestCodes(t *testing.T) {
	for i := range 256 {
		c := byte(i)
		if back := EncodeA(DecodeA(c)); back != c {
			t.Errorf("A-law: %#x comes back as %#x", c, back)
		}
		if back := EncodeMu(DecodeMu(c)); back != c && c != 0x7f { // a zero below zero
			t.Errorf("µ-law: %#x comes back as %#x", c, back)
		}
	}
	for c, want := range map[byte]int16{0xff: 0, 0x80: 32124, 0x00: -32124} {
		if v := DecodeMu(c); v != want {
			t.Errorf("µ-law: %#x is %d, want %d", c, v, want)
		}
	}
	for c, want := range map[byte]int16{0xd5: 8, 0x55: -8, 0xaa: 32256, 0x2a: -32256} {
		if v := DecodeA(c); v != want {
			t.Errorf("A-law: %#x is %d, want %d", c, v, want)
		}
	}
}
