package sipphone

import (
	"math"
	"math/bits"
	"math/cmplx"
)

// fft is a radix-2 Fourier transform of one size. It may be used by several goroutines at once.
type fft struct {
	size  int
	roots []complex128 // exp(-2πik/size), for k below size/2
}

// newFFT prepares a transform; size is a power of two.
func newFFT(size int) *fft {
	f := &fft{size: size, roots: make([]complex128, size/2)}
	for k := range f.roots {
		f.roots[k] = cmplx.Rect(1, -2*math.Pi*float64(k)/float64(size))
	}
	return f
}

// forward transforms x in place.
func (f *fft) forward(x []complex128) {
	shift := 64 - bits.Len(uint(f.size)-1)
	for i := range x {
		if j := int(bits.Reverse64(uint64(i)) >> shift); j > i {
			x[i], x[j] = x[j], x[i]
		}
	}
	for span := 1; span < f.size; span *= 2 {
		step := f.size / (2 * span)
		for start := 0; start < f.size; start += 2 * span {
			low, high := x[start:start+span], x[start+span:start+2*span]
			for k := range low {
				t := high[k] * f.roots[k*step]
				low[k], high[k] = low[k]+t, low[k]-t
			}
		}
	}
}

// inverse undoes forward, in place.
func (f *fft) inverse(x []complex128) {
	for i, v := range x {
		x[i] = cmplx.Conj(v)
	}
	f.forward(x)
	scale := 1 / float64(f.size)
	for i, v := range x {
		x[i] = complex(real(v)*scale, -imag(v)*scale)
	}
}
