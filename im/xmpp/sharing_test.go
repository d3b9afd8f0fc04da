package xmpp

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hark/im"
)

// TestSharing writes attachments and reads them again.
func TestSharing(t *testing.T) {
	voice := im.Attachment{URL: "https://im.example.org/a/abc", Type: "audio/mpeg", Seconds: 3.104, Size: 12463, Title: "Voice <message>",
		Waveform: []uint8{0, 12, 100}}
	bare := im.Attachment{URL: "https://example.org/x.png", Type: "image/png"}
	m := im.Outgoing{ID: "m1", Body: voice.URL, Attachments: []im.Attachment{voice, bare}}
	got := attachmentsOf(outgoing("ben@example.org", m))
	if diff := cmp.Diff([]im.Attachment{voice, bare}, got); diff != "" {
		t.Error(diff)
	}
}

// TestSharedByStrangers reads what others may write.
func TestSharedByStrangers(t *testing.T) {
	file := func(target, kind, size, length string) *element {
		return el(nsSharing, "file-sharing").with(
			el(nsMetadata, "file").with(el(nsMetadata, "media-type").says(kind), el(nsMetadata, "size").says(size), el(nsMetadata, "length").says(length)),
			el(nsSharing, "sources").with(el(nsURLData, "url-data", "target", target)))
	}
	cases := []struct {
		name string
		in   *element
		want []im.Attachment
	}{
		{"good", file("https://a.example/v", "Audio/OGG", "10", "1500"), []im.Attachment{{URL: "https://a.example/v", Type: "audio/ogg", Size: 10, Seconds: 1.5}}},
		{"no type", file("https://a.example/v.mp3", "", "", ""), []im.Attachment{{URL: "https://a.example/v.mp3", Type: "audio/mpeg"}}},
		{"not a type", file("https://a.example/v", "audio/<script>", "x", "-3"), []im.Attachment{{URL: "https://a.example/v"}}},
		{"not the web", file("file:///etc/passwd", "audio/ogg", "1", "1"), nil},
		{"no source", el(nsSharing, "file-sharing").with(el(nsMetadata, "file")), nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, attachmentsOf(el(nsClient, "message").with(c.in))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestWaveformsOfStrangers: what is not up to a hundred peaks from 0 to 100 is none.
func TestWaveformsOfStrangers(t *testing.T) {
	for in, want := range map[string][]uint8{
		"0 50 100": {0, 50, 100}, "  7\n8 ": {7, 8}, "": nil, "101": nil, "256": nil, "-1": nil, "1,2": nil, "1 x": nil,
		strings.Repeat("1 ", im.MaxWaveform):   slices.Repeat([]uint8{1}, im.MaxWaveform),
		strings.Repeat("1 ", im.MaxWaveform+1): nil,
	} {
		if got := readPeaks(in); !slices.Equal(got, want) {
			t.Errorf("%.20q: %v, want %v", in, got, want)
		}
	}
}
