package testbed

import (
	"cmp"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

//go:embed prosody.cfg.lua
var prosodyConfig string

// layProsody makes the run folder of a Prosody with everything in it, ready to be started.
func layProsody(o ProsodyOptions) (*Prosody, error) {
	host := cmp.Or(o.Host, "127.0.0.1")
	port, err := choosePort(o.Port, "tcp", host)
	if err != nil {
		return nil, err
	}
	dir, temp, err := runDir(o.Dir, "hark-prosody-")
	if err != nil {
		return nil, err
	}
	p := &Prosody{XMPPServer: XMPPServer{
		Addr:      hostPort(host, port),
		Domain:    cmp.Or(o.Domain, "localhost"),
		CAFile:    filepath.Join(dir, "cert.pem"),
		Dir:       dir,
		LogFile:   filepath.Join(dir, "log"),
		name:      "prosody",
		command:   []string{"prosody", "-F", "--config", filepath.Join(dir, "prosody.cfg.lua")},
		portTaken: "Failed to open server port",
		temp:      temp,
	}}
	if err := p.lay(o, host, port); err != nil {
		return nil, errors.Join(fmt.Errorf("testbed: prosody: %w", err), p.Discard())
	}
	return p, nil
}

func (p *Prosody) lay(o ProsodyOptions, host string, port int) error {
	var err error
	p.Roots, err = writeCertificate(p.CAFile, filepath.Join(p.Dir, "key.pem"),
		p.Domain, "upload."+p.Domain, "rooms."+p.Domain)
	if err != nil {
		return err
	}
	ports, parts, err := p.components(o, host)
	if err != nil {
		return err
	}
	hibernation := cmp.Or(o.Hibernation, 10*time.Minute)
	err = renderFile(filepath.Join(p.Dir, "prosody.cfg.lua"), prosodyConfig, map[string]string{
		"HARK_DIR":         p.Dir,
		"HARK_HOST":        host,
		"HARK_PORT":        strconv.Itoa(port),
		"HARK_HTTP_PORT":   ports,
		"HARK_HIBERNATION": strconv.Itoa(int(hibernation.Seconds())),
		"HARK_DOMAIN":      p.Domain,
		"HARK_LOG":         cmp.Or(o.LogLevel, "debug"),
		"HARK_COMPONENTS":  parts,
	})
	if err != nil {
		return err
	}
	for user, password := range o.Users {
		if err := p.AddUser(user, password); err != nil {
			return err
		}
	}
	return p.writeRosters(o.Friends)
}

// components returns the ports of Prosody's web server and the optional parts of its configuration.
func (p *Prosody) components(o ProsodyOptions, host string) (httpPorts, config string, err error) {
	address := ""
	if o.Upload || o.BOSH {
		port, err := freePort("tcp", host)
		if err != nil {
			return "", "", err
		}
		httpPorts, address = strconv.Itoa(port), "http://"+hostPort(host, port)
	}
	var parts []string
	if o.BOSH { // first: it belongs to the domain and not to a component
		p.BOSH = address + "/http-bind"
		parts = append(parts, fmt.Sprintf("modules_enabled = { \"bosh\" }\nhttp_host = %q\n", host))
	}
	if o.Rooms {
		parts = append(parts, fmt.Sprintf("Component %q \"muc\"\n", "rooms."+p.Domain))
	}
	if o.Upload {
		parts = append(parts, fmt.Sprintf("Component %q \"http_file_share\"\nhttp_host = %q\nhttp_external_url = %q\n",
			"upload."+p.Domain, host, address))
	}
	return httpPorts, strings.Join(parts, "\n"), nil
}

// AddUser makes an account, or gives an account a new password, also while Prosody runs.
func (p *Prosody) AddUser(user, password string) error {
	// The password is hashed by Prosody at the first login.
	return p.writeData("accounts", user, fmt.Sprintf("return {\n\t[\"password\"] = %s;\n};\n", luaString(password)))
}

// writeRosters puts each pair of users on each other's roster.
func (p *Prosody) writeRosters(friends [][2]string) error {
	rosters := map[string][]string{}
	for _, pair := range friends {
		rosters[pair[0]] = append(rosters[pair[0]], pair[1])
		rosters[pair[1]] = append(rosters[pair[1]], pair[0])
	}
	for user, contacts := range rosters {
		var text strings.Builder
		text.WriteString("return {\n\t[false] = { [\"version\"] = 1; };\n")
		for _, contact := range contacts {
			fmt.Fprintf(&text, "\t[%s] = { [\"subscription\"] = \"both\"; [\"groups\"] = {}; };\n", luaString(contact+"@"+p.Domain))
		}
		text.WriteString("};\n")
		if err := p.writeData("roster", user, text.String()); err != nil {
			return err
		}
	}
	return nil
}

// writeData writes one file of Prosody's internal storage.
func (p *Prosody) writeData(store, user, text string) error {
	dir := filepath.Join(p.Dir, "data", dataName(p.Domain), store)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, dataName(user)+".dat"), []byte(text), 0o600)
}

// dataName writes a name as Prosody's storage does: everything but ASCII letters and digits as %xx.
func dataName(name string) string {
	var out strings.Builder
	for _, b := range []byte(name) {
		if b >= '0' && b <= '9' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' {
			out.WriteByte(b)
		} else {
			fmt.Fprintf(&out, "%%%02x", b)
		}
	}
	return out.String()
}

// luaString writes s as a Lua string in which any byte is safe.
func luaString(s string) string {
	var out strings.Builder
	out.WriteByte('"')
	for _, b := range []byte(s) {
		if b < ' ' || b >= 0x7f || b == '"' || b == '\\' {
			fmt.Fprintf(&out, "\\%03d", b)
		} else {
			out.WriteByte(b)
		}
	}
	out.WriteByte('"')
	return out.String()
}
