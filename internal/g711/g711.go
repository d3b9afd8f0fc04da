// Package g711 codes sound of telephones, a byte for a sample (ITU-T G.711).
package g711

// DecodeMu makes a sample of 16 bits of one of µ-law.
func DecodeMu(c byte) int16 {
	c = ^c
	v := (int16(c&0x0f)<<3 + 0x84) << (c >> 4 & 7)
	if c&0x80 != 0 {
		return 0x84 - v
	}
	return v - 0x84
}

// DecodeA makes a sample of 16 bits of one of A-law.
func DecodeA(c byte) int16 {
	c ^= 0x55
	v := int16(c&0x0f)<<4 + 8
	if e := c >> 4 & 7; e > 0 {
		v = (v + 0x100) << (e - 1)
	}
	if c&0x80 == 0 {
		return -v
	}
	return v
}

// The bias and the largest value of µ-law.
const (
	muBias = 0x84
	muMost = 32635
)

// EncodeMu makes one sample of µ-law: sign, three bits of exponent, four of mantissa, all inverted.
func EncodeMu(s int16) byte {
	v, sign := int(s), byte(0)
	if v < 0 {
		v, sign = -v, 0x80
	}
	v = min(v, muMost) + muBias
	e := exponent(v)
	return ^(sign | e<<4 | byte(v>>(e+3)&0x0f))
}

// EncodeA makes one sample of A-law: as µ-law, with a linear lowest segment and every other bit inverted.
func EncodeA(s int16) byte {
	v, sign := int(s), byte(0x80)
	if v < 0 {
		v, sign = -v-1, 0
	}
	c := byte(v >> 4)
	if v >= 256 {
		e := exponent(v)
		c = e<<4 | byte(v>>(e+3)&0x0f)
	}
	return (sign | c) ^ 0x55
}

// exponent is where the highest bit of a value of 15 bits stands, from 0 for bit 7 and below.
func exponent(v int) (e byte) {
	for v >>= 8; v > 0; v >>= 1 {
		e++
	}
	return e
}
