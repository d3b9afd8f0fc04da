package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"hark/audio"
	"hark/internal/sipphone"
	"hark/internal/wav"
)

const (
	linkAim     = 50 * time.Millisecond // from the hang-up to a link that gives all of the sound
	allFormsAim = time.Second           // and to all forms of a minute
	encodeFor   = 3 * time.Second       // that each encoder is measured
)

// An audioBench is a store of voice messages in a folder that is removed afterwards, and a voice to speak them.
type audioBench struct {
	voice voice
	dir   string
	store *audio.Store
}

// measureAudio measures what becomes of a recording: encoding beside the command-line tools, the time from the hang-up
// to the link and to all forms, the memory of that, and ranges beside nginx.
func measureAudio(ctx context.Context, _ *lab) (figures []figure, err error) {
	dir, err := os.MkdirTemp("", "hark-bench-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	v, err := newVoice(ctx, filepath.Join(dir, "speech"))
	if err != nil {
		return nil, err
	}
	store, err := audio.Open(ctx, audio.Config{
		Dir: filepath.Join(dir, "audio"), Keys: filepath.Join(dir, "keys"), Cache: filepath.Join(dir, "cache"),
		URL: "http://localhost/a/", MaxCount: 1 << 20, MaxBytes: 1 << 40, GCEvery: -1,
	})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	b := audioBench{v, dir, store}
	for _, measure := range []func(context.Context) ([]figure, error){b.encoders, b.links, b.memory, b.ranges} {
		more, err := measure(ctx)
		if err != nil {
			return figures, err
		}
		figures = append(figures, more...)
	}
	return figures, nil
}

// recorded makes a file of speech such as a switch leaves, and returns its path.
func (b audioBench) recorded(ctx context.Context, long time.Duration) (string, error) {
	samples, err := b.voice.speech(ctx, long)
	if err != nil {
		return "", err
	}
	file := filepath.Join(b.dir, long.String()+".wav")
	return file, wav.Write(file, wav.Sound{Rate: sipphone.Rate, Samples: samples})
}

// encoders compares the speed of encoding a minute with that of the command-line tools, at the same rates and bit rates.
func (b audioBench) encoders(ctx context.Context) (figures []figure, err error) {
	const long = time.Minute
	in, err := b.recorded(ctx, long)
	if err != nil {
		return nil, err
	}
	sound, err := os.ReadFile(in)
	if err != nil {
		return nil, err
	}
	for _, c := range []struct {
		name string
		form audio.Form
		tool []string
	}{
		{"MP3", audio.MP3, []string{"lame", "--quiet", "--resample", "16", "-b", "32", "-q", "4", "-m", "m", in, in + ".mp3"}},
		{"Opus", audio.Ogg, []string{"opusenc", "--quiet", "--speech", "--bitrate", "16", in, in + ".ogg"}},
	} {
		own, err := timesFaster(long, func() error { _, err := audio.Encode(ctx, sound, c.form); return err })
		if err != nil {
			return figures, err
		}
		tool, err := timesFaster(long, func() error { return runTool(ctx, c.tool) })
		if err != nil {
			return figures, err
		}
		figures = append(figures, measured("audio: encoding "+c.name, "%.0f × real time", own).
			against(fmt.Sprintf("%s: %.0f ×", c.tool[0], tool), own >= tool))
	}
	return figures, nil
}

// timesFaster is how many times faster than it is spoken a sound of that length is worked on.
func timesFaster(long time.Duration, work func() error) (float64, error) {
	begun, rounds := time.Now(), 0
	for time.Since(begun) < encodeFor {
		if err := work(); err != nil {
			return 0, err
		}
		rounds++
	}
	return float64(rounds) * long.Seconds() / time.Since(begun).Seconds(), nil
}

func runTool(ctx context.Context, command []string) error {
	if out, err := exec.CommandContext(ctx, command[0], command[1:]...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", command[0], err, out)
	}
	return nil
}

// links measures the time from the end of a recording to a link that works, and to all forms, and the CPU of that.
func (b audioBench) links(ctx context.Context) (figures []figure, err error) {
	for _, long := range []struct {
		time.Duration
		rounds int
	}{{5 * time.Second, 40}, {time.Minute, 10}, {3 * time.Minute, 5}} {
		file, err := b.recorded(ctx, long.Duration)
		if err != nil {
			return figures, err
		}
		var link, all []time.Duration
		before := ownCPU()
		for range long.rounds {
			toLink, toAll, err := b.message(ctx, file)
			if err != nil {
				return figures, err
			}
			link, all = append(link, toLink), append(all, toAll)
		}
		cpu := (ownCPU() - before) / time.Duration(long.rounds)
		linked, forms := percentile(link, 50), percentile(all, 50)
		name := fmt.Sprintf("audio: %.0f s, from the hang-up to ", long.Seconds())
		figures = append(figures, measured(name+"the link", "p50 %s ms, worst %s ms", ms(linked), ms(percentile(link, 100))).
			against("p50 ≤ "+ms(linkAim)+" ms", linked <= linkAim))
		made := measured(name+"all forms", "p50 %s ms, worst %s ms, %s ms of CPU", ms(forms), ms(percentile(all, 100)), ms(cpu))
		if long.Duration == time.Minute {
			made = made.against("p50 ≤ "+ms(allFormsAim)+" ms", forms <= allFormsAim)
		}
		figures = append(figures, made)
	}
	return figures, nil
}

// message keeps one voice message, waits for its forms, and removes it.
func (b audioBench) message(ctx context.Context, file string) (toLink, toAll time.Duration, err error) {
	begun := time.Now()
	rec, err := b.store.PutFile(ctx, file, audio.Meta{Owner: "bench"})
	if err == nil {
		err = b.opens(ctx, rec)
	}
	toLink = time.Since(begun)
	if err == nil {
		err = b.store.Wait(ctx, rec)
	}
	toAll = time.Since(begun)
	return toLink, toAll, errors.Join(err, b.store.Revoke(ctx, rec.ID))
}

// opens tells whether the link gives all of the recording.
func (b audioBench) opens(ctx context.Context, rec audio.Recording) error {
	answer := counter{header: http.Header{}}
	audio.NewHandler(b.store, audio.HandlerConfig{}).ServeHTTP(&answer, httptest.NewRequestWithContext(ctx, http.MethodGet, rec.URL+".wav", nil))
	if answer.status != http.StatusOK || answer.bytes != rec.Bytes {
		return fmt.Errorf("the link answers %d with %d bytes of %d", answer.status, answer.bytes, rec.Bytes)
	}
	return nil
}

// A counter is an answer of which only the size is kept: to gather three minutes of sound takes longer than to send them.
type counter struct {
	header http.Header
	status int
	bytes  int64
}

func (c *counter) Header() http.Header    { return c.header }
func (c *counter) WriteHeader(status int) { c.status = status }

func (c *counter) Write(b []byte) (int, error) {
	if c.status == 0 {
		c.status = http.StatusOK
	}
	c.bytes += int64(len(b))
	return len(b), nil
}

// memory is by how much the highest resident size of this process rises while 180 s are put and encoded.
func (b audioBench) memory(ctx context.Context) ([]figure, error) {
	file, err := b.recorded(ctx, 3*time.Minute)
	if err != nil {
		return nil, err
	}
	debug.FreeOSMemory()
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil { // the peak begins anew
		return nil, err
	}
	before, err := peakMemory()
	if err != nil {
		return nil, err
	}
	if _, _, err := b.message(ctx, file); err != nil {
		return nil, err
	}
	after, err := peakMemory()
	return []figure{measured("audio: memory while 180 s are encoded", "%.1f MiB more (%.1f MiB in all)",
		float64(after-before)/1024, float64(after)/1024)}, err
}

// peakMemory is the highest resident size of this process, in KiB.
func peakMemory() (int, error) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	_, line, _ := strings.Cut(string(status), "VmHWM:")
	size, _, _ := strings.Cut(strings.TrimSpace(line), " ")
	return strconv.Atoi(size)
}
