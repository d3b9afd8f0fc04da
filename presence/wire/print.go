package wire

// Append adds the request's line, with its line end, to dst.
func (r Request) Append(dst []byte) []byte {
	dst = append(dst, r.Tag...)
	dst = append(dst, ' ')
	dst = append(dst, r.Verb...)
	if r.Arg != nil {
		dst = append(dst, ' ')
		dst = append(dst, r.Arg...)
	}
	return append(dst, "\r\n"...)
}

// Append adds the reply's line, with its line end, to dst.
func (r Reply) Append(dst []byte) []byte {
	dst = append(dst, r.Tag...)
	dst = append(dst, ' ')
	dst = append(dst, r.Status...)
	dst = appendCode(dst, r.Code, r.CodeArg)
	dst = append(dst, ' ')
	if r.JSON == nil {
		dst = append(dst, "{}"...)
	}
	dst = append(dst, r.JSON...)
	dst = appendText(dst, r.Text)
	return append(dst, "\r\n"...)
}

// Append adds the event's line, with its line end, to dst.
func (e Event) Append(dst []byte) []byte {
	dst = append(dst, "* "...)
	dst = append(dst, e.Name...)
	dst = appendCode(dst, e.Code, e.CodeArg)
	if e.JSON != nil {
		dst = append(dst, ' ')
		dst = append(dst, e.JSON...)
	}
	dst = appendText(dst, e.Text)
	return append(dst, "\r\n"...)
}

func appendCode(dst []byte, code, arg string) []byte {
	if code == "" {
		return dst
	}
	dst = append(dst, " ["...)
	dst = append(dst, code...)
	if arg != "" {
		dst = append(dst, ' ')
		dst = append(dst, arg...)
	}
	return append(dst, ']')
}

func appendText(dst []byte, text string) []byte {
	if text == "" {
		return dst
	}
	dst = append(dst, ' ')
	return append(dst, text...)
}
