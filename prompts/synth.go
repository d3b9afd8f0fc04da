package prompts

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"hark/internal/wav"
)

// ErrNoSynthesiser is wrapped by the error of NewSynthesiser when the program is not installed; the error's text tells
// what to install.
var ErrNoSynthesiser = errors.New("prompts: the speech synthesiser is missing")

// ErrUnspeakable is wrapped by the error of SayText when a text has nothing in it that can be spoken: it is empty, or
// written in a script that the synthesiser does not know.
var ErrUnspeakable = errors.New("prompts: nothing in this text can be spoken")

// A Synthesiser turns text into speech. Any goroutine may use it.
type Synthesiser interface {
	// Key names the driver and the voice it uses for a language; speech of another key is rendered anew. It fails when
	// there is no voice for the language.
	Key(lang string) (string, error)
	// Speak renders text, which has no control characters and is short. The sound may have any sample rate. It wraps
	// ErrUnspeakable when there was nothing to say.
	Speak(ctx context.Context, lang, text string) (wav.Sound, error)
}

// SynthOptions chooses a synthesiser.
type SynthOptions struct {
	// Driver is "flite" (the default), "espeak-ng", "festival", "pico", "command" or "http".
	Driver string
	// Voices names the voice for a language where it shall be another than the driver's own choice.
	Voices map[string]string
	// Command is the program of driver "command" with its arguments. In each argument {out} is the WAV file to write,
	// {text} the text, {textfile} a file that holds it, {lang} and {voice} language and voice. Without {text} and
	// {textfile} the text comes on the standard input. No shell reads any of it. A text in an argument can be seen by
	// every user of the machine, a text in a file cannot.
	Command []string
	// URL is the address of driver "http", with {lang} and {voice} where language and voice belong. The text is posted
	// there, and a WAV file comes back.
	URL string
}

// NewSynthesiser returns the driver that o names. It fails when its program is not installed (ErrNoSynthesiser) or a
// voice is not known.
func NewSynthesiser(ctx context.Context, o SynthOptions) (Synthesiser, error) {
	switch o.Driver {
	case "", "flite":
		return newFlite(ctx, o.Voices)
	case "espeak-ng":
		return newEspeak(o.Voices)
	case "festival":
		return newFestival(ctx, o.Voices)
	case "pico":
		return newPico(ctx, o.Voices)
	case "command":
		return newCommand(o)
	case "http":
		return newService(o)
	}
	return nil, fmt.Errorf("prompts: no synthesiser driver %q; there are flite, espeak-ng, festival, pico, command and http", o.Driver)
}

// program is a synthesiser that is a program. Each driver fills in how it is called.
type program struct {
	name   string
	voice  func(lang string) (string, error)
	argv   func(lang, voice, text string, f files) []string
	stdin  bool                     // the text comes on the standard input
	adjust func(text string) string // nil leaves it
	limit  time.Duration            // of one run; 0 is renderTime
}

// files are the two files of one run, in a folder of their own that is removed afterwards.
type files struct{ text, out string }

// Key names driver and voice.
func (p *program) Key(lang string) (string, error) {
	voice, err := p.voice(lang)
	return p.name + "/" + voice, err
}

// Speak runs the program.
func (p *program) Speak(ctx context.Context, lang, text string) (wav.Sound, error) {
	voice, err := p.voice(lang)
	if err != nil {
		return wav.Sound{}, err
	}
	if p.adjust != nil {
		text = p.adjust(text)
	}
	if !speakable(text) {
		return wav.Sound{}, ErrUnspeakable
	}
	dir, err := os.MkdirTemp("", "hark-speech-*")
	if err != nil {
		return wav.Sound{}, err
	}
	defer os.RemoveAll(dir)
	f := files{text: filepath.Join(dir, "text"), out: filepath.Join(dir, "speech.wav")}
	if err := os.WriteFile(f.text, []byte(text+"\n"), 0o600); err != nil {
		return wav.Sound{}, err
	}
	return p.run(ctx, p.argv(lang, voice, text, f), f)
}

func (p *program) run(ctx context.Context, argv []string, f files) (wav.Sound, error) {
	input := os.DevNull
	if p.stdin {
		input = f.text
	}
	if err := runProgram(ctx, argv, input, filepath.Dir(f.out), cmp.Or(p.limit, renderTime)); err != nil {
		return wav.Sound{}, fmt.Errorf("prompts: %s: %w", p.name, err)
	}
	sound, err := wav.Read(f.out)
	if err != nil {
		return wav.Sound{}, fmt.Errorf("prompts: %s wrote no speech: %w", p.name, err)
	}
	if len(sound.Samples) == 0 {
		return wav.Sound{}, ErrUnspeakable
	}
	return sound, nil
}

// newFlite prepares flite. It speaks English only, and knows no letters but those of ASCII.
func newFlite(ctx context.Context, voices map[string]string) (*program, error) {
	path, err := installed("flite", "flite")
	if err != nil {
		return nil, err
	}
	if err := fliteKnows(ctx, path, voices["en"]); err != nil {
		return nil, err
	}
	return &program{
		name: "flite",
		voice: func(lang string) (string, error) {
			if lang != "en" {
				return "", fmt.Errorf("prompts: flite speaks English only; for %q choose espeak-ng", lang)
			}
			return voiceOr(voices, lang, "slt"), nil
		},
		argv: func(_, voice, _ string, f files) []string {
			return []string{path, "-voice", voice, "-f", f.text, "-o", f.out}
		},
		adjust: plainASCII,
	}, nil
}

// fliteKnows asks flite for its voices: given an unknown name it would silently take another one.
func fliteKnows(ctx context.Context, path, voice string) error {
	if voice == "" || strings.ContainsRune(voice, '/') { // a voice file of the administrator
		return nil
	}
	out, err := exec.CommandContext(ctx, path, "-lv").Output()
	if err != nil {
		return fmt.Errorf("prompts: asking flite for its voices: %w", err)
	}
	_, list, _ := strings.Cut(string(out), ":")
	if known := strings.Fields(list); !slices.Contains(known, voice) {
		return fmt.Errorf("prompts: flite has no voice %q; it has %s", voice, quoted(slices.Values(known)))
	}
	return nil
}

// newEspeak prepares espeak-ng. Its voices are named like the languages.
func newEspeak(voices map[string]string) (*program, error) {
	path, err := installed("espeak-ng", "espeak-ng")
	if err != nil {
		return nil, err
	}
	return &program{
		name: "espeak-ng",
		voice: func(lang string) (string, error) {
			if lang == "en" {
				return voiceOr(voices, lang, "en-us"), nil
			}
			return voiceOr(voices, lang, lang), nil
		},
		argv: func(_, voice, _ string, f files) []string {
			return []string{path, "-v", voice, "-b", "1", "-w", f.out, "-f", f.text}
		},
		// Two brackets would switch to phoneme names.
		adjust: strings.NewReplacer("[[", " ", "]]", " ").Replace,
	}, nil
}

// newCommand prepares a program of the administrator.
func newCommand(o SynthOptions) (*program, error) {
	if len(o.Command) == 0 || !strings.Contains(strings.Join(o.Command[1:], " "), "{out}") {
		return nil, errors.New("prompts: the synthesiser's command needs a program and an argument with {out}")
	}
	path, err := installed(o.Command[0], "it, or correct the path")
	if err != nil {
		return nil, err
	}
	args := strings.Join(o.Command[1:], " ")
	return &program{
		name:  "command/" + strings.Join(o.Command, " "),
		voice: func(lang string) (string, error) { return voiceOr(o.Voices, lang, ""), nil },
		stdin: !strings.Contains(args, "{text}") && !strings.Contains(args, "{textfile}"),
		argv: func(lang, voice, text string, f files) []string {
			fill := strings.NewReplacer("{text}", text, "{textfile}", f.text, "{out}", f.out, "{lang}", lang, "{voice}", voice)
			argv := []string{path}
			for _, a := range o.Command[1:] {
				argv = append(argv, fill.Replace(a))
			}
			return argv
		},
	}, nil
}

// installed finds a program, or tells what to install.
func installed(name, install string) (string, error) {
	path, err := exec.LookPath(name)
	if err != nil {
		return "", fmt.Errorf("%w: %s is not there; install %s (on Debian: apt install flite, or apt install espeak-ng)",
			ErrNoSynthesiser, name, install)
	}
	return path, nil
}

func voiceOr(voices map[string]string, lang, fallback string) string {
	if v := voices[lang]; v != "" {
		return v
	}
	return fallback
}
