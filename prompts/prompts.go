// Package prompts is what Hark says: the texts per language, and their sound.
//
// Texts stand in one TOML file per language, each with an id; an administrator replaces a text, or a sound file,
// without building anything. A Speaker turns text into 8 kHz sound by a synthesiser and keeps it.
package prompts

import "time"

// A Clip is one piece of sound to be played, with the words it says.
type Clip struct {
	// File is a WAV file (PCM 16 bit mono 8 kHz) on this machine, absolute, or "" for silence only.
	File string
	// Text is what is said, for the terminal telephone, transcripts and tests; never logged.
	Text string
	// ID is the prompt's id in the catalogue, or "" for free text and recordings.
	ID string
	// Duration is the length of File.
	Duration time.Duration
	// Offset is where to begin in File.
	Offset time.Duration
	// Pause is silence after the clip.
	Pause time.Duration
}
