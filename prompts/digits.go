package prompts

import "strings"

// groups splits a number into the groups in which it is spoken: at its spaces if it has any, else in threes, where a
// single last digit joins the group before it (1234 and 471 902 3845).
func groups(digits string) []string {
	if strings.ContainsAny(digits, " \t") || len(digits) <= 4 {
		return strings.Fields(digits)
	}
	var out []string
	for len(digits) > 4 {
		out, digits = append(out, digits[:3]), digits[3:]
	}
	if digits != "" {
		out = append(out, digits)
	}
	return out
}
