package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"time"

	"hark/internal/sipphone"
	"hark/internal/wav"
)

// A keepsake is what a call of the demo leaves behind: what the caller heard, edited, beside what was printed of it.
type keepsake struct {
	out        io.Writer
	transcript bytes.Buffer
}

// Write prints, and keeps what was printed.
func (k *keepsake) Write(b []byte) (int, error) {
	k.transcript.Write(b)
	return k.out.Write(b)
}

// keepsakes is the folder where they are left, beside the program.
func keepsakes() (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(filepath.Dir(self), "demo")
	return dir, os.MkdirAll(dir, 0o755)
}

// keep runs a call like with, and leaves its sound and its transcript as files of that name.
func (p *play) keep(ctx context.Context, u user, callerID, name string, do func(*caller)) error {
	k := &keepsake{out: p.lab.out}
	c, err := p.dial(ctx, p.voice, u.Name, callerID, k)
	if err != nil {
		return err
	}
	do(c)
	c.hangsUp(ctx)
	dir, err := keepsakes()
	if err != nil {
		return errors.Join(c.err, err)
	}
	path := filepath.Join(dir, name)
	sound := wav.Sound{Rate: sipphone.Rate, Samples: shortened(c.call.Heard())}
	if err := errors.Join(wav.Write(path+".wav", sound), os.WriteFile(path+".txt", k.transcript.Bytes(), 0o644)); err != nil {
		return errors.Join(c.err, err)
	}
	p.tell("", "To listen to that call: %s.wav (%v, its silences shortened); what happened in it: %s.txt", path,
		sound.Duration().Round(time.Second), path)
	return c.err
}

const (
	hush      = 200                    // an amplitude below is silence, of 32,767
	hushFrame = 20 * time.Millisecond  // is judged at once
	mostHush  = 600 * time.Millisecond // of silence in one piece is left
)

// shortened cuts what is longer out of each silence.
func shortened(samples []int16) (out []int16) {
	frame := int(hushFrame * sipphone.Rate / time.Second)
	silent := time.Duration(0)
	for len(samples) > 0 {
		n := min(frame, len(samples))
		if audible(samples[:n]) {
			silent = 0
		} else {
			silent += hushFrame
		}
		if silent <= mostHush {
			out = append(out, samples[:n]...)
		}
		samples = samples[n:]
	}
	return out
}

func audible(samples []int16) bool {
	for _, v := range samples {
		if v > hush || v < -hush {
			return true
		}
	}
	return false
}
