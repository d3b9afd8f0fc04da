package xmpp

import (
	"math"
	"strconv"
	"strings"

	"hark/im"
)

// Name spaces of stateless file sharing (XEP-0447) and the metadata of files (XEP-0446).
const (
	nsSharing  = "urn:xmpp:sfs:0"
	nsMetadata = "urn:xmpp:file:metadata:0"
	nsURLData  = "http://jabber.org/protocol/url-data"
	// Our own element in the metadata: the peaks of a voice message, 0 to 100, with spaces between. No XEP has one.
	nsWaveform = "urn:hark:waveform:0"
)

// sharing says of a link what clients need to show a player at once: type, size, length and waveform. Clients that do not
// know it have the plain link.
func sharing(a im.Attachment) *element {
	file := el(nsMetadata, "file")
	if a.Type != "" {
		file.with(el(nsMetadata, "media-type").says(clean(a.Type)))
	}
	if a.Title != "" {
		file.with(el(nsMetadata, "name").says(clean(a.Title)))
	}
	if a.Size > 0 {
		file.with(el(nsMetadata, "size").says(strconv.FormatInt(a.Size, 10)))
	}
	if a.Seconds > 0 {
		file.with(el(nsMetadata, "length").says(strconv.FormatInt(int64(math.Round(a.Seconds*1000)), 10)))
	}
	if len(a.Waveform) > 0 {
		file.with(el(nsWaveform, "waveform").says(writePeaks(a.Waveform)))
	}
	sources := el(nsSharing, "sources").with(el(nsURLData, "url-data", "target", clean(a.URL)))
	return el(nsSharing, "file-sharing", "disposition", "inline").with(file, sources)
}

// sharedFiles reads the links of XEP-0447.
func sharedFiles(e *element) (list []im.Attachment) {
	for _, k := range e.kids {
		if !k.is(nsSharing, "file-sharing") {
			continue
		}
		link := strings.TrimSpace(k.child(nsSharing, "sources").child(nsURLData, "url-data").attr("target"))
		if !isWebLink(link) || len(list) == maxAttachments {
			continue
		}
		file := k.child(nsMetadata, "file")
		a := im.Attachment{URL: link, Type: mediaType(file.textOf(nsMetadata, "media-type")), Title: clip(file.textOf(nsMetadata, "name"), 200)}
		if a.Type == "" {
			a.Type = typeOf(link)
		}
		if n, err := strconv.ParseInt(file.textOf(nsMetadata, "size"), 10, 64); err == nil && n > 0 {
			a.Size = n
		}
		if ms, err := strconv.ParseInt(file.textOf(nsMetadata, "length"), 10, 64); err == nil && ms > 0 {
			a.Seconds = float64(ms) / 1000
		}
		a.Waveform = readPeaks(file.textOf(nsWaveform, "waveform"))
		list = append(list, a)
	}
	return list
}

// mediaType is a media type as others wrote it, "" when it is none.
func mediaType(s string) string {
	s = strings.ToLower(strings.TrimSpace(s))
	major, minor, ok := strings.Cut(s, "/")
	plain := func(part string) bool {
		return part != "" && strings.Trim(part, "abcdefghijklmnopqrstuvwxyz0123456789.+-_") == ""
	}
	if !ok || len(s) > 100 || !plain(major) || !plain(minor) {
		return ""
	}
	return s
}

func writePeaks(peaks []uint8) string {
	words := make([]string, len(peaks))
	for i, p := range peaks {
		words[i] = strconv.Itoa(int(p))
	}
	return strings.Join(words, " ")
}

// readPeaks reads what writePeaks wrote; nil when it is anything else.
func readPeaks(s string) (peaks []uint8) {
	for word := range strings.FieldsSeq(s) {
		n, err := strconv.ParseUint(word, 10, 8)
		if err != nil || len(peaks) == im.MaxWaveform {
			return nil
		}
		peaks = append(peaks, uint8(n))
	}
	if !im.IsWaveform(peaks) {
		return nil
	}
	return peaks
}
