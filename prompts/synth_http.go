package prompts

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"hark/internal/wav"
)

// maxSpeech is the largest WAV file that a service may answer with, in bytes: three minutes at 48 kHz.
const maxSpeech = 18 << 20

// A service is a synthesiser behind HTTP: the text is posted as text/plain in UTF-8, and the answer is a WAV file.
type service struct {
	url    string // {lang} and {voice} stand for language and voice
	voices map[string]string
	client *http.Client
}

// newService prepares it. Nothing is asked of it yet: it may be started after Hark.
func newService(o SynthOptions) (*service, error) {
	u, err := url.Parse(fillURL(o.URL, "en", ""))
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("prompts: the synthesiser's address %q is not a URL like http://127.0.0.1:5002/speak?lang={lang}", o.URL)
	}
	return &service{url: o.URL, voices: o.Voices, client: &http.Client{
		Timeout:       renderTime,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// fillURL puts language and voice into the address.
func fillURL(address, lang, voice string) string {
	return strings.NewReplacer("{lang}", url.QueryEscape(lang), "{voice}", url.QueryEscape(voice)).Replace(address)
}

// Key implements Synthesiser.
func (s *service) Key(lang string) (string, error) {
	return "http/" + fillURL(s.url, lang, s.voices[lang]), nil
}

// Speak implements Synthesiser.
func (s *service) Speak(ctx context.Context, lang, text string) (wav.Sound, error) {
	if !speakable(text) {
		return wav.Sound{}, ErrUnspeakable
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, fillURL(s.url, lang, s.voices[lang]), strings.NewReader(text))
	if err != nil {
		return wav.Sound{}, err
	}
	req.Header.Set("Content-Type", "text/plain; charset=utf-8")
	req.Header.Set("Accept", "audio/wav")
	resp, err := s.client.Do(req)
	if err != nil {
		return wav.Sound{}, fmt.Errorf("prompts: the speech service: %w", errors.Unwrap(err)) // without the address, which may hold a key
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return wav.Sound{}, fmt.Errorf("prompts: the speech service answers %s", resp.Status)
	}
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxSpeech+1))
	if err != nil {
		return wav.Sound{}, fmt.Errorf("prompts: the speech service: %w", err)
	}
	if len(b) > maxSpeech {
		return wav.Sound{}, fmt.Errorf("prompts: the speech service answers with more than %d bytes", maxSpeech)
	}
	sound, err := wav.Decode(b)
	if err != nil {
		return wav.Sound{}, fmt.Errorf("prompts: the speech service answers with no speech: %w", err)
	}
	if len(sound.Samples) == 0 {
		return wav.Sound{}, ErrUnspeakable
	}
	return sound, nil
}
