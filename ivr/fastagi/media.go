package fastagi

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"hark/ivr"
)

// A mediaMap turns paths of this machine into those at Asterisk; the longest folders come first.
type mediaMap []mediaDir

type mediaDir struct{ here, there string }

func newMediaMap(dirs map[string]string) mediaMap {
	var m mediaMap
	for here, there := range dirs {
		m = append(m, mediaDir{filepath.Clean(here), filepath.Clean(there)})
	}
	slices.SortFunc(m, func(a, b mediaDir) int { return cmp.Compare(len(b.here), len(a.here)) })
	return m
}

// there is where Asterisk sees a path of this machine.
func (m mediaMap) there(path string) string {
	for _, dir := range m {
		if rest, under := strings.CutPrefix(path, strings.TrimSuffix(dir.here, "/")+"/"); under {
			return filepath.Join(dir.there, rest)
		}
	}
	return path
}

// sound names a WAV file for STREAM FILE, which wants no extension. A path that is not absolute or no .wav is ivr.ErrLine:
// Asterisk would look for it somewhere else.
func (m mediaMap) sound(file string) (string, error) {
	path, isWAV := strings.CutSuffix(filepath.Clean(file), ".wav")
	if !filepath.IsAbs(file) || !isWAV {
		return "", fmt.Errorf("%w: %q is not the absolute path of a .wav file", ivr.ErrLine, file)
	}
	return m.there(path), nil
}
