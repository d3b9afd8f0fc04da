package testbed

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestFill(t *testing.T) {
	t.Parallel()
	values := map[string]string{"HARK_A": "1", "HARK_B": "", "HARK_C": "@HARK_A@"}
	for _, c := range []struct{ text, want, err string }{
		{"no placeholder, me@example.org", "no placeholder, me@example.org", ""},
		{"a=@HARK_A@,b=@HARK_B@;@HARK_A@", "a=1,b=;1", ""},
		{"filled in once: @HARK_C@", "filled in once: @HARK_A@", ""},
		{"@HARK_D@ and @HARK_E@", "", "no value for @HARK_D@, @HARK_E@"},
	} {
		got, err := fill(c.text, values)
		if got != c.want || (err == nil) != (c.err == "") || err != nil && err.Error() != c.err {
			t.Errorf("fill(%q) = %q, %v", c.text, got, err)
		}
	}
}

// TestContainersFillInTheSame holds docker/fill.sh against renderDir, on the real configuration.
func TestContainersFillInTheSame(t *testing.T) {
	t.Parallel()
	checkout, err := Checkout()
	if err != nil {
		t.Fatal(err)
	}
	from, want, got := filepath.Join(checkout, "asterisk-conf"), t.TempDir(), t.TempDir()
	values := map[string]string{}
	fill := exec.Command(filepath.Join(checkout, "docker", "fill.sh"), from, got)
	fill.Env = []string{"PATH=" + os.Getenv("PATH")}
	for _, file := range glob(t, from, "*.conf") {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range placeholder.FindAllString(string(text), -1) {
			name = strings.Trim(name, "@")
			values[name] = `value|of\` + name + `&"'#;`
			fill.Env = append(fill.Env, name+"="+values[name])
		}
	}
	if err := renderDir(from, want, values); err != nil {
		t.Fatal(err)
	}
	if out, err := fill.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, file := range glob(t, want, "*.conf") {
		a, errA := os.ReadFile(file)
		b, errB := os.ReadFile(filepath.Join(got, filepath.Base(file)))
		if errA != nil || errB != nil || string(a) != string(b) {
			t.Errorf("%s differs (%v, %v)", filepath.Base(file), errA, errB)
		}
	}

	fill = exec.Command(filepath.Join(checkout, "docker", "fill.sh"), from, t.TempDir())
	fill.Env = []string{"PATH=" + os.Getenv("PATH")}
	if out, err := fill.CombinedOutput(); err == nil || !strings.Contains(string(out), "no value") {
		t.Errorf("without values: %v, %s", err, out)
	}
}

// glob returns the files of a folder that match, at least one.
func glob(t *testing.T, dir, pattern string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, pattern))
	if err != nil || len(files) == 0 {
		t.Fatalf("no %s in %s (%v)", pattern, dir, err)
	}
	return files
}

func TestDataName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{"alice": "alice", "im.example.org": "im%2eexample%2eorg", "../ä": "%2e%2e%2f%c3%a4"} {
		if got := dataName(name); got != want {
			t.Errorf("dataName(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestParseStat(t *testing.T) {
	t.Parallel()
	line := "42 (a ) S b) S 1 2 3 4 5 6 7 8 9 10 150 50 30 20 20 0 4 0 999 1000000 3 18446744073709551615"
	got, err := parseStat(line)
	if err != nil || got.CPU != 2500*time.Millisecond || got.RSS != int64(3*os.Getpagesize()) {
		t.Errorf("%+v, %v", got, err)
	}
	for _, bad := range []string{"", "42 (x", "42 (x) S 1 2", strings.Replace(line, " 150 ", " x ", 1)} {
		if got, err := parseStat(bad); err == nil {
			t.Errorf("parseStat(%q) = %+v, want an error", bad, got)
		}
	}
}

func TestReadHistory(t *testing.T) {
	t.Parallel()
	const log = `Nov 23 08:00:00 c2s1	info	Authenticated as alice@localhost
Nov 23 08:00:00 c2s2	info	Authenticated as alice@localhost.example.org
Nov 23 08:00:01 c2s1	debug	Received[c2s]: <message> Authenticated as alice@localhost is only text
Nov 23 08:00:02 c2s2	debug	mod_smacks resuming existing session 1...
Nov 23 08:00:03 c2s2	info	Authenticated as alice@localhost
Nov 23 08:00:04 c2s2	debug	mod_smacks resuming existing session 1...
Nov 23 08:00:05 c2s2	debug	Unbinding resource for alice@localhost/x (alice@localhost)
`
	got, err := readHistory(strings.NewReader(log), "alice@localhost")
	if want := (History{Logins: 2, Resumed: 1, Ended: 1}); err != nil || got != want {
		t.Errorf("%+v, %v; want %+v", got, err, want)
	}
}

func TestReadSessions(t *testing.T) {
	t.Parallel()
	const log = `Nov 23 08:00:00 c2s1	info	Authenticated as alice@localhost
Nov 23 08:00:00 c2s2	info	Authenticated as ben@localhost
Nov 23 08:00:01 c2s1	debug	Received[c2s]: <message> Authenticated as carla@localhost is only text
Nov 23 08:00:03 c2s3	info	Authenticated as alice@localhost
Nov 23 08:00:04 c2s3	debug	mod_smacks resuming existing session 1...
Nov 23 08:00:04 c2s4	info	Authenticated as dora@localhost
Nov 23 08:00:05 c2s2	debug	Unbinding resource for ben@localhost/x (ben@localhost)
`
	if live, err := readSessions(strings.NewReader(log)); err != nil || live != 2 {
		t.Errorf("%d sessions, %v; want alice's and dora's", live, err)
	}
}
