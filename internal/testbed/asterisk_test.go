package testbed

import (
	"bufio"
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// gone fails unless the process ends within five seconds.
func gone(t *testing.T, pid int) {
	t.Helper()
	err := waitFor(t.Context(), 5*time.Second, nil, func(context.Context) error {
		if stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid)); err == nil && !strings.Contains(string(stat), ") Z ") {
			return fmt.Errorf("pid %d still runs", pid)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func TestAsteriskSpeaksWhenHarkIsAway(t *testing.T) {
	t.Parallel()
	a := AsteriskFor(t, AsteriskOptions{})
	heard, err := listen(t.Context(), a.SIPAddr, a.Number)
	if err != nil {
		t.Fatal(err)
	}
	if heard.packets < 100 || heard.loud < heard.packets/2 {
		t.Errorf("%+v: want two seconds of speech at least", heard)
	}
	log, err := a.Log()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`Stasis\("PJSIP/anonymous-\w+", "hark"\)`,
		`Playing 'sorry\.`,
		`Playing 'please-try-call-later\.`,
	} {
		if !regexp.MustCompile(want).MatchString(log) {
			t.Errorf("the log has no line %s", want)
		}
	}
	for line := range strings.Lines(log) {
		if strings.Contains(line, "] ERROR[") {
			t.Errorf("an error in the log: %s", line)
		}
	}
}

func TestAsteriskAnswersOnlyItsNumber(t *testing.T) {
	t.Parallel()
	a := AsteriskFor(t, AsteriskOptions{Number: "7007"})
	for _, c := range []struct {
		method, number string
		want           int
	}{
		{"OPTIONS", "7007", 200},
		{"OPTIONS", "7000", 404},
		{"INVITE", "7000", 404},
		{"INVITE", "7007&PJSIP/phone", 404},
		{"INVITE", "7007%26PJSIP%2Fphone", 404},
		{"INVITE", "7100", 404},
		{"INVITE", "s", 404},
		{"INVITE", "i", 404},
		{"INVITE", "0035812345678", 404},
		{"REGISTER", "phone", 401},
	} {
		if got := sipStatus(t, a.SIPAddr, c.method, c.number); got != c.want {
			t.Errorf("%s %s: %d, want %d", c.method, c.number, got, c.want)
		}
	}
}

func TestAsteriskHasNoWayOut(t *testing.T) {
	t.Parallel()
	a := AsteriskFor(t, AsteriskOptions{})
	maps, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", a.PID))
	if err != nil {
		t.Fatal(err)
	}
	for _, module := range []string{"app_dial", "app_system", "app_originate", "app_disa", "func_shell", "pbx_spool", "res_clioriginate"} {
		if strings.Contains(string(maps), module) {
			t.Errorf("%s is loaded", module)
		}
	}
}

func TestAsteriskBenchNumbers(t *testing.T) {
	t.Parallel()
	a := AsteriskFor(t, AsteriskOptions{Bench: true, LogLevels: "warning,error"})
	for _, number := range []string{a.Number, "7100", "7101", "7102"} {
		if got := sipStatus(t, a.SIPAddr, "OPTIONS", number); got != 200 {
			t.Errorf("OPTIONS %s: %d, want 200", number, got)
		}
	}
	log, err := a.Log()
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(log, "VERBOSE") || strings.Contains(log, "NOTICE") || strings.Contains(log, "ERROR") {
		t.Errorf("the log should hold warnings at most:\n%s", log)
	}
}

func TestAsteriskIsStoppedKilledAndRestarted(t *testing.T) {
	t.Parallel()
	a := AsteriskFor(t, AsteriskOptions{})
	sip, ari, first := a.SIPAddr, a.ARIURL, a.PID
	if err := a.Start(t.Context()); err == nil {
		t.Error("started twice")
	}
	if err := a.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	gone(t, first)
	second := a.PID
	if err := a.Kill(); err != nil {
		t.Fatal(err)
	}
	gone(t, second)
	if a.Running() || a.Ping(t.Context()) == nil {
		t.Error("killed, and still there")
	}
	if err := a.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if a.SIPAddr != sip || a.ARIURL != ari || a.PID == second {
		t.Errorf("after the restart: %s %s pid %d", a.SIPAddr, a.ARIURL, a.PID)
	}
	if used, err := a.Usage(); err != nil || used.RSS < 10<<20 || used.CPU <= 0 {
		t.Errorf("usage %+v, %v", used, err)
	}
	if err := a.Stop(); err != nil {
		t.Error(err)
	}
	gone(t, a.PID)
	if err := a.Discard(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(a.Dir); !os.IsNotExist(err) {
		t.Errorf("the run folder is still there: %v", err)
	}
}

func TestAsteriskBadConfigurationIsToldAtOnce(t *testing.T) {
	t.Parallel()
	begun := time.Now()
	dir := t.TempDir()
	_, err := StartAsterisk(t.Context(), AsteriskOptions{
		Dir:   dir,
		Files: map[string]string{"modules_local.conf": "require = app_nosuch.so\n"},
	})
	if err == nil || !strings.Contains(err.Error(), "app_nosuch.so") {
		t.Errorf("error %v, want one that names app_nosuch.so", err)
	}
	if took := time.Since(begun); took > startLimit/2 {
		t.Errorf("told after %v", took)
	}
	if _, err := StartAsterisk(t.Context(), AsteriskOptions{Files: map[string]string{"x.conf": "@HARK_WRONG@"}}); err == nil ||
		!strings.Contains(err.Error(), "@HARK_WRONG@") {
		t.Errorf("error %v, want one that names @HARK_WRONG@", err)
	}
}

// secretFiles are the rendered files that hold a password: nobody else may read them.
func TestAsteriskSecretsAreTheOwnersOnly(t *testing.T) {
	t.Parallel()
	a := AsteriskFor(t, AsteriskOptions{})
	if a.ARIPassword == "" || a.ARIPassword == a.PhoneSecret {
		t.Error("passwords are not random")
	}
	err := fs.WalkDir(os.DirFS(a.Dir), "etc", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if info, err := entry.Info(); err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v (%v)", path, info.Mode(), err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// TestPartsDieWithTheirStarter runs this test binary again as the starter, kills it, and looks what is left.
func TestPartsDieWithTheirStarter(t *testing.T) {
	t.Parallel()
	starter := exec.Command(os.Args[0], "-test.run=^TestStarter$", "-test.v")
	starter.Env = append(os.Environ(), "HARK_TESTBED_STARTER="+t.TempDir())
	out, err := starter.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := starter.Start(); err != nil {
		t.Fatal(err)
	}
	var pids []int
	for lines := bufio.NewScanner(out); len(pids) < 2 && lines.Scan(); {
		if _, pid, found := strings.Cut(lines.Text(), "STARTED "); found {
			n, _ := strconv.Atoi(pid)
			pids = append(pids, n)
		}
	}
	if err := starter.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = starter.Wait() // "killed", of course
	if len(pids) != 2 {
		t.Fatal("the starter did not start its parts")
	}
	for _, pid := range pids {
		gone(t, pid)
	}
}

// TestStarter is not a test by itself but the starter of TestPartsDieWithTheirStarter.
func TestStarter(t *testing.T) {
	dir := os.Getenv("HARK_TESTBED_STARTER")
	if dir == "" {
		return
	}
	a := AsteriskFor(t, AsteriskOptions{Dir: dir + "/a"})
	p := ProsodyFor(t, ProsodyOptions{Dir: dir + "/p"})
	fmt.Printf("STARTED %d\nSTARTED %d\n", a.PID, p.PID)
	<-t.Context().Done() // killed here
}
