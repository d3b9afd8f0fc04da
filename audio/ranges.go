package audio

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// mostRanges is how many ranges one request may ask for: more than any player does. RFC 9110, section 14.2, allows to
// ignore a Range that looks like an attack.
const mostRanges = 16

// withPlainRange is the request with its Range as http.ServeContent takes it for what RFC 9110 says, or without one
// where that says to ignore it: with another method than GET, in another unit than bytes (whose name may be written in
// any case), or when it makes no sense.
func withPlainRange(r *http.Request, size int64) *http.Request {
	asked := r.Header.Get("Range")
	if asked == "" {
		return r
	}
	r = r.Clone(r.Context())
	r.Header.Del("Range")
	unit, set, _ := strings.Cut(asked, "=")
	if r.Method == http.MethodGet && strings.EqualFold(unit, "bytes") {
		if plain := plainRanges(set, size); plain != "" {
			r.Header.Set("Range", plain)
		}
	}
	return r
}

// plainRanges writes a set of ranges anew; "" when it is none, or too large a one.
func plainRanges(set string, size int64) string {
	var plain []string
	for spec := range strings.SplitSeq(set, ",") {
		spec = strings.Trim(spec, " \t")
		if spec == "" {
			continue // an empty element of a list means nothing (section 5.6.1)
		}
		one := plainRange(spec, size)
		if one == "" || len(plain) == mostRanges {
			return ""
		}
		plain = append(plain, one)
	}
	if plain == nil {
		return ""
	}
	return "bytes=" + strings.Join(plain, ",")
}

// plainRange writes one range anew; "" when it is none. The last 0 bytes are what no file has (section 14.1.2), as is
// what begins at its end.
func plainRange(spec string, size int64) string {
	first, last, dashed := strings.Cut(spec, "-")
	from, ok1 := position(first)
	to, ok2 := position(last)
	switch {
	case !dashed || !ok1 || !ok2 || first == "" && last == "":
		return ""
	case first == "" && to == 0:
		return fmt.Sprintf("%d-", size)
	case first == "":
		return fmt.Sprintf("-%d", to)
	case last == "":
		return fmt.Sprintf("%d-", from)
	case to < from:
		return ""
	}
	return fmt.Sprintf("%d-%d", from, to)
}

// position reads a number of bytes; one that is too large for us is larger than every file. "" is 0.
func position(s string) (n int64, ok bool) {
	if strings.Trim(s, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.ParseInt("0"+s, 10, 64)
	return n, err == nil || errors.Is(err, strconv.ErrRange) // then it is the largest that there is
}
