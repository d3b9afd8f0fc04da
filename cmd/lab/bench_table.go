package main

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// A figure is one line of the bench's table.
type figure struct {
	what    string
	reached string
	aim     string // "" when there is none
	verdict string // reached, missed, or "" without an aim
}

// measured is a figure without an aim.
func measured(what, format string, args ...any) figure {
	return figure{what: what, reached: fmt.Sprintf(format, args...)}
}

// against is the figure held against an aim.
func (f figure) against(aim string, reached bool) figure {
	f.aim, f.verdict = aim, "missed"
	if reached {
		f.verdict = "reached"
	}
	return f
}

// table is the figures in columns.
func table(figures []figure) string {
	var out strings.Builder
	columns := tabwriter.NewWriter(&out, 0, 0, 3, ' ', 0)
	rows := append([]figure{{"FIGURE", "MEASURED", "AIM", ""}}, figures...)
	for _, f := range rows {
		fmt.Fprintf(columns, "%s\t%s\t%s\t%s\n", f.what, f.reached, f.aim, f.verdict)
	}
	_ = columns.Flush() // into memory
	return trimLines(out.String())
}

// trimLines takes the spaces off the ends of lines.
func trimLines(text string) string {
	var out strings.Builder
	for line := range strings.Lines(text) {
		out.WriteString(strings.TrimRight(line, " \n") + "\n")
	}
	return out.String()
}

// percentile is the nearest-rank percentile of a list, which it sorts; 0 of an empty one.
func percentile(list []time.Duration, p float64) time.Duration {
	if len(list) == 0 {
		return 0
	}
	slices.Sort(list)
	rank := int(math.Ceil(p / 100 * float64(len(list))))
	return list[min(max(rank, 1), len(list))-1]
}

// ms writes a duration in milliseconds, with two digits after the point below 10.
func ms(d time.Duration) string {
	v := float64(d) / float64(time.Millisecond)
	if v < 10 {
		return fmt.Sprintf("%.2f", v)
	}
	return fmt.Sprintf("%.1f", v)
}

// kib writes bytes in KiB.
func kib(bytes int64) string { return fmt.Sprintf("%.1f KiB", float64(bytes)/1024) }
