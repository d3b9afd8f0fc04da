package testbed

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Checkout returns the folder of the repository that the working directory lies in.
func Checkout() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		mod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && bytes.HasPrefix(mod, []byte("module hark\n")) {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("testbed: not inside a checkout of Hark (no go.mod of module hark above)")
		}
		dir = parent
	}
}

// AsteriskRoot returns the folder in which usr/sbin/asterisk lies: the answer of scripts/asterisk.sh, which fetches it
// first if it must (12 s) and then reports on progress, which may be nil.
func AsteriskRoot(ctx context.Context, progress io.Writer) (string, error) {
	checkout, err := Checkout()
	if err != nil {
		return "", err
	}
	var said bytes.Buffer
	script := exec.CommandContext(ctx, filepath.Join(checkout, "scripts", "asterisk.sh"))
	script.Stderr = &said
	if progress != nil {
		script.Stderr = io.MultiWriter(&said, progress)
	}
	out, err := script.Output()
	if err != nil {
		return "", fmt.Errorf("testbed: scripts/asterisk.sh: %w\n%s", err, said.String())
	}
	return strings.TrimSpace(string(out)), nil
}

// CacheDir is the folder outside of the checkout in which the scripts keep what they have fetched.
func CacheDir() (string, error) {
	if dir := os.Getenv("HARK_CACHE"); dir != "" {
		return dir, nil
	}
	dir, err := os.UserCacheDir()
	return filepath.Join(dir, "hark"), err
}

// firstMatch returns the first existing path that matches one of the patterns, or "".
func firstMatch(patterns ...string) string {
	for _, pattern := range patterns {
		if found, err := filepath.Glob(pattern); err == nil && len(found) > 0 {
			return found[0]
		}
	}
	return ""
}
