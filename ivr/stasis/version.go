package stasis

import (
	"context"
	"fmt"
	"strings"
)

// oldest are the first releases without the holes of June 2026, by major number; a later major has none of them.
var oldest = map[int][3]int{20: {20, 20, 1}, 22: {22, 10, 1}}

// warnOfVersion tells once, in the log, when Asterisk is older than it should be.
func (a *App) warnOfVersion(ctx context.Context) {
	info, err := a.rest.info(ctx)
	if err != nil {
		return
	}
	if version := info.SystemInfo.Version; tooOld(version) {
		a.warn.Do(func() {
			a.log.Warn("this Asterisk has known security holes: use 22.10.1 or 20.20.1, or later", "version", version)
		})
	}
}

// tooOld tells whether a version such as "22.10.1~dfsg+~cs6.17" is known to have holes. What is not a version, such as
// "GIT-master-1234", is not judged.
func tooOld(version string) bool {
	var v [3]int
	version = strings.TrimPrefix(version, "certified-")
	if n, _ := fmt.Sscanf(version, "%d.%d.%d", &v[0], &v[1], &v[2]); n < 2 {
		return false
	}
	good, listed := oldest[v[0]]
	if !listed {
		return v[0] < 22
	}
	return v[0] == good[0] && (v[1] < good[1] || v[1] == good[1] && v[2] < good[2])
}
