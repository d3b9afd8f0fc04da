package sipphone

import (
	"math"
	"math/bits"
	"math/cmplx"
)

// fft is a radix-2 Fourier transform of one size. It may be used by several goroutines at once.
type fft struct {
	size   int
	stages [][]complex128 // for each span: exp(-πik/span), for k below span
}

// newFFT prepares a transform; size is a power of two.
func newFFT(size int) *fft {
	f := &fft{size: size}
	for span := 1; span < size; span *= 2 {
		roots := make([]complex128, span)
		for k := range roots {
			roots[k] = cmplx.Rect(1, -math.Pi*float64(k)/float64(span))
		}
		f.stages = append(f.stages, roots)
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
	for _, roots := range f.stages {
		span := len(roots)
		for start := 0; start < f.size; start += 2 * span {
			low, high := x[start:start+span], x[start+span:start+2*span]
			high = high[:len(low)]
			for k, root := range roots[:len(low)] {
				t := high[k] * root
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
