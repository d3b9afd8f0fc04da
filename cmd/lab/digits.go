package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"hark/internal/sipphone"
	"hark/internal/wav"
)

// alike is the correlation from which a sound may be a digit. A digit is 1.00 like itself and at most 0.76 like another;
// a packet that came late on a busy machine costs some of it.
const alike = 0.6

// heardDigit is a digit that may have been spoken.
type heardDigit struct {
	digit   string
	at, end int // samples
	score   float64
}

// digits understands n digits that were spoken one by one, each by the sound of its own prompt: the n best that do not
// overlap, or, when they are not valid together, those with one digit that sounds nearly as good in the place of another.
func (v voice) digits(ctx context.Context, heard []int16, n int, valid func(string) bool) (string, error) {
	candidates, err := v.candidates(ctx, heard)
	if err != nil {
		return "", err
	}
	return bestDigits(candidates, n, valid)
}

// bestDigits makes a valid number of n digits of the best candidates.
func bestDigits(candidates []heardDigit, n int, valid func(string) bool) (string, error) {
	slices.SortFunc(candidates, func(a, b heardDigit) int { return cmp.Compare(b.score, a.score) })
	var chosen []heardDigit
	for _, c := range candidates {
		if len(chosen) < n && !slices.ContainsFunc(chosen, c.overlaps) {
			chosen = append(chosen, c)
		}
	}
	if len(chosen) < n {
		return "", fmt.Errorf("only %d digits were understood", len(chosen))
	}
	slices.SortFunc(chosen, func(a, b heardDigit) int { return cmp.Compare(a.at, b.at) })
	for _, c := range candidates {
		if valid(spelled(chosen)) {
			break
		}
		if i := slices.IndexFunc(chosen, c.overlaps); i >= 0 {
			if other := slices.Replace(slices.Clone(chosen), i, i+1, c); valid(spelled(other)) {
				chosen = other
			}
		}
	}
	if !valid(spelled(chosen)) {
		return "", fmt.Errorf("a digit of %s was misheard", spelled(chosen))
	}
	return spelled(chosen), nil
}

func (d heardDigit) overlaps(o heardDigit) bool { return d.at < o.end && o.at < d.end }

func spelled(digits []heardDigit) string {
	var text strings.Builder
	for _, d := range digits {
		text.WriteString(d.digit)
	}
	return text.String()
}

// candidates are all places at which a digit may have been spoken.
func (v voice) candidates(ctx context.Context, heard []int16) (all []heardDigit, err error) {
	for _, digit := range strings.Split("0123456789", "") {
		clip, err := v.speaker.Say(ctx, "en", "digit."+digit, nil)
		if err != nil {
			return nil, err
		}
		sound, err := wav.Read(clip.File)
		if err != nil {
			return nil, err
		}
		all = append(all, places(digit, heard, sound.Samples)...)
	}
	return all, nil
}

// places lists where a digit may be heard.
func places(digit string, heard, clip []int16) (list []heardDigit) {
	rest := slices.Clone(heard)
	margin := sipphone.Rate / 20 // the silence around the word may overlap with the next
	for {
		at, score := sipphone.FindClip(rest, clip)
		if score < alike {
			return list
		}
		list = append(list, heardDigit{digit, at + margin, at + len(clip) - margin, score})
		clear(rest[max(0, at):min(len(rest), at+len(clip))]) // look for the next one
	}
}
