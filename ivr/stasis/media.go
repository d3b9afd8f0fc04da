package stasis

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"hark/ivr"
)

// A mediaMap turns paths of this machine into what Asterisk plays; the longest folders come first.
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

// uri names a WAV file of this machine for Asterisk, which wants no extension and chooses the format itself. A path that
// is not absolute or no .wav is ivr.ErrLine: Asterisk would look for it somewhere else.
func (m mediaMap) uri(file string) (string, error) {
	path, isWAV := strings.CutSuffix(filepath.Clean(file), ".wav")
	if !filepath.IsAbs(file) || !isWAV {
		return "", fmt.Errorf("%w: %q is not the absolute path of a .wav file", ivr.ErrLine, file)
	}
	for _, dir := range m {
		if rest, under := strings.CutPrefix(path, strings.TrimSuffix(dir.here, "/")+"/"); under {
			path = filepath.Join(dir.there, rest)
			break
		}
	}
	return "sound:" + path, nil
}
