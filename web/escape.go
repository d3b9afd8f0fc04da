package web

import "strings"

// escaped writes a text so that an XML parser reads exactly it, in content and in attributes. What XML cannot say at
// all becomes U+FFFD. Line ends stay: XML does not touch them in content.
func escaped(s string) string {
	var b strings.Builder
	b.Grow(len(s) + len(s)/16)
	for _, r := range s {
		switch {
		case r == '&':
			b.WriteString("&amp;")
		case r == '<':
			b.WriteString("&lt;")
		case r == '>':
			b.WriteString("&gt;")
		case r == '"':
			b.WriteString("&#34;")
		case r == '\'':
			b.WriteString("&#39;")
		case r == '\t', r == '\r':
			b.WriteByte(' ')
		case r != '\n' && r < ' ', r == 0xfffe, r == 0xffff:
			b.WriteRune('\ufffd')
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// doubled is escaped for WML and HDML, where "$" begins a variable of the phone and "$$" is a dollar (threat T7).
func doubled(s string) string { return escaped(strings.ReplaceAll(s, "$", "$$")) }
