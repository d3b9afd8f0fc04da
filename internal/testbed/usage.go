package testbed

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// Usage is what a process has used since its start.
type Usage struct {
	CPU time.Duration // user and system time together, also of its children that have ended, in steps of 10 ms
	RSS int64         // resident memory, in bytes
}

// ticksPerSecond is the unit of /proc's times (USER_HZ), 100 on every Linux that Go runs on.
const ticksPerSecond = 100

// UsageOf reads the usage of a running process from /proc.
func UsageOf(pid int) (Usage, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return Usage{}, fmt.Errorf("testbed: %w", err)
	}
	return parseStat(string(stat))
}

// parseStat reads the line of proc(5), /proc/PID/stat. The second field is the program's name in brackets and may hold
// anything, so the count begins behind the last bracket.
func parseStat(stat string) (Usage, error) {
	_, rest, found := cutLast(stat, ")")
	fields := strings.Fields(rest)
	if !found || len(fields) < 22 {
		return Usage{}, fmt.Errorf("testbed: not a line of /proc/PID/stat: %q", stat)
	}
	var ticks, pages int64
	for _, field := range []struct {
		to   *int64
		text string
	}{{&ticks, fields[11]}, {&ticks, fields[12]}, {&ticks, fields[13]}, {&ticks, fields[14]}, {&pages, fields[21]}} {
		n, err := strconv.ParseInt(field.text, 10, 64)
		if err != nil {
			return Usage{}, fmt.Errorf("testbed: /proc/PID/stat: %w", err)
		}
		*field.to += n
	}
	return Usage{CPU: time.Duration(ticks) * time.Second / ticksPerSecond, RSS: pages * int64(os.Getpagesize())}, nil
}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}
