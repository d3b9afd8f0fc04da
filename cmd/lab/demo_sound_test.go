package main

import (
	"testing"
	"time"

	"hark/internal/sipphone"
)

func TestShortened(t *testing.T) {
	word := sipphone.Tone(440, time.Second)
	pause := make([]int16, 3*sipphone.Rate)
	var call []int16
	for range 3 {
		call = append(append(call, word...), pause...)
	}
	got := time.Duration(len(shortened(call))) * time.Second / sipphone.Rate
	if want := 3 * (time.Second + mostHush); got < want-3*hushFrame || got > want+3*hushFrame {
		t.Errorf("it lasts %v, not about %v", got, want)
	}
	if n := len(shortened(nil)); n != 0 {
		t.Errorf("nothing becomes %d samples", n)
	}
}
