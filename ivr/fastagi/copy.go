package fastagi

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"hark/internal/wav"
	"hark/ivr"
)

// copyRecording makes a file of our own of one that Asterisk wrote, with so much silence behind it, and returns its path
// and length. cut tells that Asterisk could not write all of it.
func copyRecording(from, dir string, silence time.Duration) (path string, length time.Duration, cut bool, err error) {
	b, err := readAtMost(from, wav.MaxSize)
	if err != nil {
		return "", 0, false, err
	}
	mendHeader(b)
	s, err := wav.Decode(b)
	if err != nil {
		return "", 0, false, err
	}
	s.Samples = append(s.Samples, make([]int16, int(silence*time.Duration(s.Rate)/time.Second))...)
	to := filepath.Join(dir, "hark-"+rand.Text()+".wav")
	if err := wav.Write(to, s); err != nil {
		return "", 0, false, err
	}
	return to, s.Duration(), ivr.CutByDisk(int64(len(b))), nil
}

func readAtMost(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(b)) > limit {
		err = fmt.Errorf("fastagi: a recording is larger than %d bytes", limit)
	}
	return b, err
}

// mendHeader corrects the length in the header of a file that Asterisk has not closed yet: it writes 0 until then. Its
// WAV files have their sound at byte 44.
func mendHeader(b []byte) {
	const sound = 44
	if len(b) > sound && string(b[sound-8:sound-4]) == "data" && binary.LittleEndian.Uint32(b[sound-4:]) == 0 {
		binary.LittleEndian.PutUint32(b[sound-4:], uint32(len(b)-sound))
	}
}
