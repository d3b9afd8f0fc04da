package asterisk

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"hark/ivr"
)

// A MediaMap tells where Asterisk sees the files of this machine.
type MediaMap []mediaDir // the longest folders first

type mediaDir struct{ here, there string }

// NewMediaMap maps folders of this machine to the same ones at Asterisk.
func NewMediaMap(dirs map[string]string) MediaMap {
	var m MediaMap
	for here, there := range dirs {
		m = append(m, mediaDir{filepath.Clean(here), filepath.Clean(there)})
	}
	slices.SortFunc(m, func(a, b mediaDir) int { return cmp.Compare(len(b.here), len(a.here)) })
	return m
}

// There is where Asterisk sees a path of this machine.
func (m MediaMap) There(path string) string {
	for _, dir := range m {
		if rest, under := strings.CutPrefix(path, strings.TrimSuffix(dir.here, "/")+"/"); under {
			return filepath.Join(dir.there, rest)
		}
	}
	return path
}

// Sound names a WAV file as Asterisk plays it: without the extension, since it chooses the format itself. A path that is not absolute or no .wav is ivr.ErrLine:
// Asterisk would look for it somewhere else.
func (m MediaMap) Sound(file string) (string, error) {
	path, isWAV := strings.CutSuffix(filepath.Clean(file), ".wav")
	if !filepath.IsAbs(file) || !isWAV {
		return "", fmt.Errorf("%w: %q is not the absolute path of a .wav file", ivr.ErrLine, file)
	}
	return m.There(path), nil
}
