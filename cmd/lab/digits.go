package main

import (
	"context"
	"strings"

	"hark/internal/sipphone"
	"hark/internal/wav"
)

const (
	frame      = sipphone.Rate / 50 // 20 ms
	quiet      = 200                // a frame whose loudest sample is below this is silence
	gap        = 5                  // so many silent frames end a word
	shortest   = sipphone.Rate / 8  // a word lasts at least so long
	sureEnough = 0.8                // correlation that makes a digit of a word
)

// digits understands digits that were spoken one by one with pauses between them, each by the sound of its own prompt.
func (v voice) digits(ctx context.Context, heard []int16) (string, error) {
	sounds, err := v.digitSounds(ctx)
	if err != nil {
		return "", err
	}
	var text strings.Builder
	for _, word := range words(heard) {
		best, score := -1, sureEnough
		for digit, sound := range sounds {
			if _, s := sipphone.FindClip(word, sound); s > score {
				best, score = digit, s
			}
		}
		if best >= 0 {
			text.WriteByte(byte('0' + best))
		}
	}
	return text.String(), nil
}

// digitSounds are the prompts of the ten digits, without the silence around them.
func (v voice) digitSounds(ctx context.Context) (sounds [10][]int16, err error) {
	for digit := range sounds {
		clip, err := v.speaker.Say(ctx, "en", "digit."+string(rune('0'+digit)), nil)
		if err != nil {
			return sounds, err
		}
		sound, err := wav.Read(clip.File)
		if err != nil {
			return sounds, err
		}
		sounds[digit] = sound.Samples
		if w := words(sound.Samples); len(w) > 0 {
			sounds[digit] = w[0][frame : len(w[0])-frame]
		}
	}
	return sounds, nil
}

// words cuts sound at its silences. Each word has a frame of margin on both sides; the last one counts only once silence
// follows it.
func words(sound []int16) (list [][]int16) {
	start, silent := -1, 0
	for at := 0; at+frame <= len(sound); at += frame {
		if loudest(sound[at:at+frame]) >= quiet {
			if start < 0 {
				start = at
			}
			silent = 0
			continue
		}
		if silent++; start >= 0 && silent == gap {
			if end := at - (gap-1)*frame; end-start >= shortest {
				list = append(list, sound[max(0, start-frame):min(len(sound), end+frame)])
			}
			start = -1
		}
	}
	return list
}

func loudest(samples []int16) (peak int) {
	for _, s := range samples {
		peak = max(peak, int(s), -int(s))
	}
	return peak
}
