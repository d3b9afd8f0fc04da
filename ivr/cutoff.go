package ivr

// block is what every disk's smallest unit is a multiple of, in bytes.
const block = 512

// CutByDisk tells whether a WAV file of so many bytes, 8 kHz and 16 bit, was cut off by a full disk, or by the death of
// the switch that wrote it. Asterisk does not tell: it ends the recording, or goes on without writing, and calls it done
// all the same.
//
// A file that was written whole has a header of 44 bytes and 16 bytes for each millisecond, which never makes full
// blocks. One that was cut off ends where the disk, or a buffer, did: at the end of a block.
func CutByDisk(size int64) bool { return size > 0 && size%block == 0 }
