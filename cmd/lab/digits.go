package main

import (
	"context"
	"slices"
	"strings"

	"hark/internal/sipphone"
	"hark/internal/wav"
)

// sureEnough is the correlation that makes a digit of a sound.
const sureEnough = 0.85

// digits understands digits that were spoken one by one, each by the sound of its own prompt.
func (v voice) digits(ctx context.Context, heard []int16) (string, error) {
	type found struct {
		at    int
		digit string
	}
	var all []found
	for _, digit := range strings.Split("0123456789", "") {
		clip, err := v.speaker.Say(ctx, "en", "digit."+digit, nil)
		if err != nil {
			return "", err
		}
		sound, err := wav.Read(clip.File)
		if err != nil {
			return "", err
		}
		for _, at := range places(heard, sound.Samples) {
			all = append(all, found{at, digit})
		}
	}
	slices.SortFunc(all, func(a, b found) int { return a.at - b.at })
	var text strings.Builder
	for _, f := range all {
		text.WriteString(f.digit)
	}
	return text.String(), nil
}

// places lists where a clip is heard, in no order.
func places(heard, clip []int16) (list []int) {
	rest := slices.Clone(heard)
	for {
		at, score := sipphone.FindClip(rest, clip)
		if score < sureEnough {
			return list
		}
		list = append(list, at)
		clear(rest[max(0, at):min(len(rest), at+len(clip))]) // look for the next one
	}
}
