package qr

import "math"

// drawing is a code being drawn: which modules are dark, and which belong to the fixed patterns.
type drawing struct {
	v     version
	n     int
	dark  []bool
	fixed []bool
}

func newDrawing(v version) *drawing {
	n := v.size()
	d := &drawing{v: v, n: n, dark: make([]bool, n*n), fixed: make([]bool, n*n)}
	for i := range n { // timing
		d.set(i, 6, i%2 == 0)
		d.set(6, i, i%2 == 0)
	}
	d.finder(3, 3)
	d.finder(n-4, 3)
	d.finder(3, n-4)
	d.alignment()
	d.format(0) // reserves the place
	d.versionInfo()
	return d
}

func (d *drawing) set(x, y int, dark bool) {
	if x < 0 || y < 0 || x >= d.n || y >= d.n {
		return
	}
	d.dark[y*d.n+x], d.fixed[y*d.n+x] = dark, true
}

// finder draws the large square around (x, y), with the light line around it.
func (d *drawing) finder(x, y int) {
	for dy := -4; dy <= 4; dy++ {
		for dx := -4; dx <= 4; dx++ {
			r := max(dx, -dx, dy, -dy)
			d.set(x+dx, y+dy, r != 2 && r != 4)
		}
	}
}

func (d *drawing) alignment() {
	a := d.v.align
	for i, y := range a {
		for j, x := range a {
			if i == 0 && j == 0 || i == 0 && j == len(a)-1 || i == len(a)-1 && j == 0 {
				continue // a finder is there
			}
			for dy := -2; dy <= 2; dy++ {
				for dx := -2; dx <= 2; dx++ {
					d.set(x+dx, y+dy, max(dx, -dx, dy, -dy) != 1)
				}
			}
		}
	}
}

// format draws level M and the mask, twice.
func (d *drawing) format(mask int) {
	bits := bch(mask, 0x537, 10) ^ 0x5412 // level M is 00
	bit := func(i int) bool { return bits>>i&1 == 1 }
	for i := range 6 {
		d.set(8, i, bit(i))
	}
	d.set(8, 7, bit(6))
	d.set(8, 8, bit(7))
	d.set(7, 8, bit(8))
	for i := 9; i < 15; i++ {
		d.set(14-i, 8, bit(i))
	}
	for i := range 8 {
		d.set(d.n-1-i, 8, bit(i))
	}
	for i := 8; i < 15; i++ {
		d.set(8, d.n-15+i, bit(i))
	}
	d.set(8, d.n-8, true)
}

// versionInfo draws the version, twice, from version 7 on.
func (d *drawing) versionInfo() {
	if d.v.number < 7 {
		return
	}
	bits := bch(d.v.number, 0x1f25, 12)
	for i := range 18 {
		dark := bits>>i&1 == 1
		d.set(d.n-11+i%3, i/3, dark)
		d.set(i/3, d.n-11+i%3, dark)
	}
}

// bch appends n check bits to the value.
func bch(value, generator, n int) int {
	rest := value
	for range n {
		rest = rest<<1 ^ rest>>(n-1)*generator
	}
	return value<<n | rest
}

// place fills the words in, in columns of two from right to left, up and down.
func (d *drawing) place(words []byte) {
	i := 0
	for right := d.n - 1; right >= 1; right -= 2 {
		if right == 6 {
			right = 5
		}
		for step := range d.n {
			y := step
			if (right+1)&2 == 0 {
				y = d.n - 1 - step
			}
			for _, x := range []int{right, right - 1} {
				if at := y*d.n + x; !d.fixed[at] && i < 8*len(words) {
					d.dark[at] = words[i/8]>>(7-i%8)&1 == 1
					i++
				}
			}
		}
	}
}

// masks are the standard's eight.
var masks = []func(x, y int) bool{
	func(x, y int) bool { return (x+y)%2 == 0 },
	func(_, y int) bool { return y%2 == 0 },
	func(x, _ int) bool { return x%3 == 0 },
	func(x, y int) bool { return (x+y)%3 == 0 },
	func(x, y int) bool { return (x/3+y/2)%2 == 0 },
	func(x, y int) bool { return x*y%2+x*y%3 == 0 },
	func(x, y int) bool { return (x*y%2+x*y%3)%2 == 0 },
	func(x, y int) bool { return ((x+y)%2+x*y%3)%2 == 0 },
}

// best tries all masks and returns the code that is easiest to read.
func (d *drawing) best() *Code {
	var best *Code
	least := math.MaxInt
	for m := range masks {
		c := d.masked(m)
		if p := c.penalty(); p < least {
			best, least = c, p
		}
	}
	return best
}

func (d *drawing) masked(m int) *Code {
	d.format(m)
	c := &Code{Size: d.n, dark: append([]bool(nil), d.dark...)}
	for i := range c.dark {
		if !d.fixed[i] && masks[m](i%d.n, i/d.n) {
			c.dark[i] = !c.dark[i]
		}
	}
	return c
}

// penalty is the standard's measure of what scanners stumble over.
func (c *Code) penalty() int {
	total, dark := 0, 0
	for i := range c.Size {
		total += linePenalty(c.Size, func(j int) bool { return c.Dark(j, i) })
		total += linePenalty(c.Size, func(j int) bool { return c.Dark(i, j) })
		for j := range c.Size {
			if c.Dark(j, i) {
				dark++
			}
			if i > 0 && j > 0 && c.Dark(j, i) == c.Dark(j-1, i) && c.Dark(j, i) == c.Dark(j, i-1) && c.Dark(j, i) == c.Dark(j-1, i-1) {
				total += 3
			}
		}
	}
	off := dark*20 - c.Size*c.Size*10
	return total + max(off, -off)/(c.Size*c.Size)*10
}

// linePenalty looks at one row or column: five or more alike, and what looks like a finder.
func linePenalty(n int, dark func(int) bool) (total int) {
	run := 0
	window := 0
	for j := range n {
		if j > 0 && dark(j) == dark(j-1) {
			run++
		} else {
			run = 1
		}
		if run == 5 {
			total += 3
		} else if run > 5 {
			total++
		}
		window = window << 1 & 0x7ff
		if dark(j) {
			window |= 1
		}
		if j >= 10 && (window == 0x5d0 || window == 0x05d) {
			total += 40
		}
	}
	return total
}
