package wav

import "os"

// diskBlock divides the size of every file that broke off: what a disk that is full took last is a whole block. A whole
// file of a telephone's sound has 44 bytes, and 16 for each millisecond, which never come to that.
const diskBlock = 512

// BrokeOff tells whether a file of 8 kHz that a switch recorded ended since the disk became full. Asterisk says nothing
// of that.
func BrokeOff(file string) bool {
	info, err := os.Stat(file)
	return err == nil && info.Size()%diskBlock == 0
}
