// Package qr draws QR codes (ISO/IEC 18004) of short texts: byte mode, error correction level M, versions 1 to 10, which
// is up to 213 bytes. That is what the link to a recording needs, and no more.
package qr

import (
	"errors"
	"fmt"
	"strings"
)

// ErrTooLong: the text has more than 213 bytes.
var ErrTooLong = errors.New("qr: the text is too long")

// A Code is a square of modules without the quiet zone.
type Code struct {
	Size int
	dark []bool
}

// Dark tells whether the module in column x and row y is dark. Outside of the code everything is light.
func (c *Code) Dark(x, y int) bool {
	return x >= 0 && y >= 0 && x < c.Size && y < c.Size && c.dark[y*c.Size+x]
}

// Encode makes the smallest code that holds the text.
func Encode(text string) (*Code, error) {
	v, err := smallest(len(text))
	if err != nil {
		return nil, err
	}
	d := newDrawing(v)
	d.place(interleave(v, dataWords(v, text)))
	return d.best(), nil
}

// Path is the code as the data of an SVG path, one unit to a module, without the quiet zone.
func (c *Code) Path() string {
	var b strings.Builder
	for y := range c.Size {
		for x := 0; x < c.Size; x++ {
			n := 0
			for c.Dark(x+n, y) {
				n++
			}
			if n > 0 {
				fmt.Fprintf(&b, "M%d %dh%dv1h-%dz", x, y, n, n)
				x += n
			}
		}
	}
	return b.String()
}

// version is a row of the standard's tables for level M.
type version struct {
	number int
	ec     int    // error correction words of each block
	blocks [2]int // how many blocks of data words, and how many of one word more
	words  int    // data words of a block of the first kind
	align  []int  // centres of the alignment patterns
}

var versions = []version{
	{1, 10, [2]int{1, 0}, 16, nil},
	{2, 16, [2]int{1, 0}, 28, []int{6, 18}},
	{3, 26, [2]int{1, 0}, 44, []int{6, 22}},
	{4, 18, [2]int{2, 0}, 32, []int{6, 26}},
	{5, 24, [2]int{2, 0}, 43, []int{6, 30}},
	{6, 16, [2]int{4, 0}, 27, []int{6, 34}},
	{7, 18, [2]int{4, 0}, 31, []int{6, 22, 38}},
	{8, 22, [2]int{2, 2}, 38, []int{6, 24, 42}},
	{9, 22, [2]int{3, 2}, 36, []int{6, 26, 46}},
	{10, 26, [2]int{4, 1}, 43, []int{6, 28, 50}},
}

func (v version) size() int { return 17 + 4*v.number }

func (v version) capacity() int { return v.blocks[0]*v.words + v.blocks[1]*(v.words+1) }

// lengthBits is how many bits say how long the text is.
func (v version) lengthBits() int {
	if v.number < 10 {
		return 8
	}
	return 16
}

func smallest(n int) (version, error) {
	for _, v := range versions {
		if 4+v.lengthBits()+8*n <= 8*v.capacity() {
			return v, nil
		}
	}
	return version{}, ErrTooLong
}

// dataWords is the text with its mode, its length and the padding.
func dataWords(v version, text string) []byte {
	var w bitWriter
	w.add(4, 4) // byte mode
	w.add(len(text), v.lengthBits())
	for i := range len(text) {
		w.add(int(text[i]), 8)
	}
	w.add(0, min(4, 8*v.capacity()-w.bits))
	w.add(0, (8-w.bits%8)%8)
	for pad := 0xec; len(w.bytes) < v.capacity(); pad ^= 0xec ^ 0x11 {
		w.add(pad, 8)
	}
	return w.bytes
}

type bitWriter struct {
	bytes []byte
	bits  int
}

func (w *bitWriter) add(value, n int) {
	for i := n - 1; i >= 0; i-- {
		if w.bits%8 == 0 {
			w.bytes = append(w.bytes, 0)
		}
		w.bytes[w.bits/8] |= byte(value>>i&1) << (7 - w.bits%8)
		w.bits++
	}
}

// interleave cuts the data into blocks, computes the error correction of each, and deals both out in turn.
func interleave(v version, data []byte) []byte {
	var blocks, checks [][]byte
	for i := range v.blocks[0] + v.blocks[1] {
		n := v.words
		if i >= v.blocks[0] {
			n++
		}
		blocks, checks = append(blocks, data[:n]), append(checks, reedSolomon(data[:n], v.ec))
		data = data[n:]
	}
	return append(deal(blocks), deal(checks)...)
}

func deal(blocks [][]byte) (out []byte) {
	for i := range len(blocks[len(blocks)-1]) {
		for _, b := range blocks {
			if i < len(b) {
				out = append(out, b[i])
			}
		}
	}
	return out
}

// exp and log are the powers of 2 in GF(256) with the polynomial 0x11d.
var exp, log = func() (exp [510]byte, log [256]int) {
	x := 1
	for i := range 255 {
		exp[i], exp[i+255] = byte(x), byte(x)
		log[x] = i
		x <<= 1
		if x > 255 {
			x ^= 0x11d
		}
	}
	return exp, log
}()

// reedSolomon is the remainder of the data, times x to the n, by the generator with the roots 2^0 … 2^(n−1).
func reedSolomon(data []byte, n int) []byte {
	generator := []byte{1}
	for i := range n {
		next := make([]byte, len(generator)+1)
		for j, g := range generator {
			next[j] ^= g
			if g != 0 {
				next[j+1] ^= exp[log[g]+i]
			}
		}
		generator = next
	}
	rest := append(append([]byte(nil), data...), make([]byte, n)...)
	for i := range data {
		if rest[i] == 0 {
			continue
		}
		factor := log[rest[i]]
		for j, g := range generator {
			rest[i+j] ^= exp[log[g]+factor]
		}
	}
	return rest[len(data):]
}
