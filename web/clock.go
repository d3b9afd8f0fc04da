package web

import "time"

// clock writes a time for somebody who reads it now.
func (v *visit) clock(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	now := time.Now().In(v.server.Zone)
	t = t.In(v.server.Zone)
	switch {
	case t.YearDay() == now.YearDay() && t.Year() == now.Year():
		return t.Format("15:04")
	case now.Sub(t) < 6*24*time.Hour:
		return t.Format("Mon 15:04")
	}
	return t.Format("2 Jan 2006")
}

// at writes a message's time: under the day where the markup shows days, else with it.
func (v *visit) at(t time.Time) string {
	if t.IsZero() || v.markup.small() {
		return v.clock(t)
	}
	return t.In(v.server.Zone).Format("15:04")
}

// day names the day of a time, as one says it now.
func (v *visit) day(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	name := func(t time.Time) string { return t.In(v.server.Zone).Format("Monday, 2 January 2006") }
	now := time.Now()
	switch day := name(t); day {
	case name(now):
		return "Today"
	case name(now.AddDate(0, 0, -1)):
		return "Yesterday"
	default:
		return day
	}
}
