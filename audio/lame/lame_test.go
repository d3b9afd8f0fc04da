package lame_test

import (
	"errors"
	"testing"

	"hark/audio/lame"
)

func TestEncode(t *testing.T) {
	e, err := lame.New(16000, 32)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	stream, err := e.Append(nil, make([]int16, 16000))
	if err != nil {
		t.Fatal(err)
	}
	if stream, err = e.Flush(stream); err != nil {
		t.Fatal(err)
	}
	const frame = 144 // bytes of a 576-sample frame: 32 kbit/s at 16 kHz
	if len(stream)%frame != 0 || stream[0] != 0xff || stream[1]&0xe0 != 0xe0 {
		t.Errorf("the stream of %d bytes is not made of frames of %d", len(stream), frame)
	}
	delay, padding := e.Padding()
	if frames := len(stream) / frame; frames*576 != 16000+delay+padding {
		t.Errorf("%d frames hold %d samples, want 16000 and %d delay and %d padding", frames, frames*576, delay, padding)
	}
}

func TestRefusesUnknownRate(t *testing.T) {
	if e, err := lame.New(7999, 32); err == nil {
		e.Close()
		t.Error("7999 Hz was accepted")
	}
}

func TestClosed(t *testing.T) {
	e, err := lame.New(16000, 32)
	if err != nil {
		t.Fatal(err)
	}
	e.Close()
	e.Close()
	if _, err := e.Append(nil, make([]int16, 1)); !errors.Is(err, lame.ErrClosed) {
		t.Errorf("Append after Close: %v", err)
	}
	if _, err := e.Flush(nil); !errors.Is(err, lame.ErrClosed) {
		t.Errorf("Flush after Close: %v", err)
	}
}
