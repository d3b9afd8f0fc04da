package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// A measurement is one bench: it tells its progress on the lab's output and returns its figures. Its error says that
// something could not be measured; a figure that misses its aim is no error.
type measurement struct {
	name string
	run  func(context.Context, *lab) ([]figure, error)
}

// measurements are all benches, in the order of running.
var measurements = []measurement{
	{"login", measureLogin},
	{"cache", measureCache},
	{"calls", measureCalls},
	{"voicexml", measureVoiceXML},
	{"speech", measureSpeech},
	{"sessions", measureSessions},
	{"relay", measureRelay},
	{"audio", measureAudio},
	{"web", measureWeb},
}

// bench measures what is named, or everything, and prints one table.
func bench(ctx context.Context, l *lab, names []string) error {
	chosen, err := choose(names)
	if err != nil {
		return err
	}
	begun, before := time.Now(), loadAverage()
	kernel, err := kernelSpeed()
	if err != nil {
		return err
	}
	var all []figure
	var failures []error
	for _, m := range chosen {
		l.tell("%s: begins; load average %s", m.name, loadAverage())
		figures, err := m.run(ctx, l.in(m.name))
		all = append(all, figures...)
		if err != nil {
			failures = append(failures, fmt.Errorf("bench %s: %w", m.name, err))
			l.tell("%s: FAILED: %v", m.name, err)
		}
		if ctx.Err() != nil {
			break
		}
	}
	fmt.Fprintf(l.out, "\n%s\nMeasured in %.0f s; load average %s before, %s after; %s.\n",
		table(all), time.Since(begun).Seconds(), before, loadAverage(), kernel)
	return errors.Join(failures...)
}

// choose finds the measurements of these names; none means all.
func choose(names []string) (chosen []measurement, err error) {
	var known []string
	for _, m := range measurements {
		known = append(known, m.name)
		if len(names) == 0 || slices.Contains(names, m.name) {
			chosen = append(chosen, m)
		}
	}
	for _, name := range names {
		if !slices.Contains(known, name) {
			return nil, fmt.Errorf("%q is no bench: there are %s", name, strings.Join(known, ", "))
		}
	}
	return chosen, nil
}

// in is the lab with a folder of its own inside the one that is kept, if one is.
func (l *lab) in(name string) *lab {
	own := *l
	if l.dir != "" {
		own.dir = filepath.Join(l.dir, name)
	}
	return &own
}

// tell prints a line of progress.
func (l *lab) tell(format string, args ...any) {
	fmt.Fprintf(l.out, "%s  %s\n", time.Now().Format(time.TimeOnly), fmt.Sprintf(format, args...))
}

// loadAverage is the machine's load over the last minute: how many programs want one of its CPUs.
func loadAverage() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	first, _, _ := strings.Cut(string(text), " ")
	return first
}
