package testbed

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
)

// layAsterisk makes the run folder of an Asterisk with everything in it, ready to be started.
func layAsterisk(o AsteriskOptions) (*Asterisk, error) {
	sip, err := choosePort(o.SIPPort, "udp", cmp.Or(o.Host, "127.0.0.1"))
	if err != nil {
		return nil, err
	}
	ari, err := choosePort(o.ARIPort, "tcp", cmp.Or(o.Host, "127.0.0.1"))
	if err != nil {
		return nil, err
	}
	dir, temp, err := runDir(o.Dir, "hark-asterisk-")
	if err != nil {
		return nil, err
	}
	host := cmp.Or(o.Host, "127.0.0.1")
	a := &Asterisk{
		ARIURL:      "http://" + hostPort(host, ari) + "/ari",
		ARIUser:     "hark",
		ARIPassword: secret(),
		SIPAddr:     hostPort(host, sip),
		Number:      cmp.Or(o.Number, "7000"),
		PhoneUser:   "phone",
		PhoneSecret: secret(),
		Dir:         dir,
		SpoolDir:    filepath.Join(dir, "spool"),
		LogFile:     filepath.Join(dir, "log", "messages"),
		temp:        temp,
	}
	if err := a.lay(o, host, sip, ari); err != nil {
		return nil, errors.Join(fmt.Errorf("testbed: asterisk: %w", err), a.Discard())
	}
	return a, nil
}

func (a *Asterisk) lay(o AsteriskOptions, host string, sip, ari int) error {
	install, err := findInstall(o.Root)
	if err != nil {
		return err
	}
	for _, sub := range []string{"etc", "lib/keys", "run", "log", "spool/recording", "c", "data/sounds"} {
		if err := os.MkdirAll(filepath.Join(a.Dir, sub), 0o700); err != nil {
			return err
		}
	}
	if err := a.linkData(install.data); err != nil {
		return err
	}
	a.program = append(install.command, "-C", filepath.Join(a.Dir, "etc", "asterisk.conf"), "-f")
	return a.configure(o, map[string]string{
		"HARK_ETC":            filepath.Join(a.Dir, "etc"),
		"HARK_VAR":            a.Dir,
		"HARK_DATA":           filepath.Join(a.Dir, "data"),
		"HARK_MODULES":        install.modules,
		"HARK_ARI_HOST":       host,
		"HARK_ARI_PORT":       strconv.Itoa(ari),
		"HARK_ARI_USER":       a.ARIUser,
		"HARK_ARI_PASSWORD":   a.ARIPassword,
		"HARK_SIP_HOST":       host,
		"HARK_SIP_PORT":       strconv.Itoa(sip),
		"HARK_PHONE_PASSWORD": a.PhoneSecret,
		"HARK_RTP_START":      strconv.Itoa(cmp.Or(o.RTPStart, 10000)),
		"HARK_RTP_END":        strconv.Itoa(cmp.Or(o.RTPEnd, 29999)),
		"HARK_NUMBER":         a.Number,
		"HARK_CODECS":         cmp.Or(o.Codecs, "ulaw,alaw,opus"),
		"HARK_LOG_LEVELS":     cmp.Or(o.LogLevels, "notice,warning,error,verbose(3)"),
	})
}

func (a *Asterisk) configure(o AsteriskOptions, values map[string]string) error {
	checkout, err := Checkout()
	if err != nil {
		return err
	}
	from, etc := filepath.Join(checkout, "asterisk-conf"), values["HARK_ETC"]
	if err := renderDir(from, etc, values); err != nil {
		return err
	}
	if o.Bench {
		if err := renderDir(filepath.Join(from, "bench"), etc, values); err != nil {
			return err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(o.Files)) {
		if err := renderFile(filepath.Join(etc, filepath.Base(name)), o.Files[name], values); err != nil {
			return err
		}
	}
	return nil
}

// linkData makes the data folder: what Asterisk needs of its installation, and its English sounds under the name "en",
// which a package gives them only when it is really installed.
func (a *Asterisk) linkData(installed string) error {
	links := map[string]string{
		"documentation": filepath.Join(installed, "documentation"),
		"rest-api":      filepath.Join(installed, "rest-api"),
		"sounds/en": firstMatch(
			filepath.Join(installed, "sounds", "en"),
			filepath.Join(installed, "sounds", "en_US_*")),
	}
	for name, target := range links {
		link := filepath.Join(a.Dir, "data", name)
		if err := os.Symlink(target, link); err != nil && !errors.Is(err, os.ErrExist) {
			return err
		}
	}
	return nil
}

// An install is where the pieces of an Asterisk lie.
type install struct {
	command []string // the program, with its own loader in front when it came with one
	modules string
	data    string
}

func findInstall(root string) (install, error) {
	in := install{
		modules: firstMatch(
			filepath.Join(root, "usr/lib/*/asterisk/modules"),
			filepath.Join(root, "usr/lib*/asterisk/modules")),
		data: filepath.Dir(firstMatch(
			filepath.Join(root, "usr/share/asterisk/rest-api"),
			filepath.Join(root, "var/lib/asterisk/rest-api"))),
	}
	program := filepath.Join(root, "usr/sbin/asterisk")
	if _, err := os.Stat(program); err != nil {
		return in, err
	}
	if in.modules == "" || in.data == "." {
		return in, fmt.Errorf("%s has no Asterisk with its modules and rest-api", root)
	}
	in.command = []string{program}
	loader := firstMatch(filepath.Join(root, "usr/lib/*/ld-linux*.so.*"))
	if loader != "" && filepath.Clean(root) != "/" {
		libraries := filepath.Dir(loader) + ":" + filepath.Join(root, "usr/lib")
		in.command = []string{loader, "--library-path", libraries, program}
	}
	return in, nil
}

// runDir makes a folder for one run: the one that is asked for, or a new one that is to be removed afterwards.
func runDir(want, prefix string) (dir string, temp bool, err error) {
	if want == "" {
		dir, err = os.MkdirTemp("", prefix)
		return dir, true, err
	}
	dir, err = filepath.Abs(want)
	if err != nil {
		return "", false, err
	}
	return dir, false, os.MkdirAll(dir, 0o700)
}
