package main

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/BurntSushi/toml"

	"hark/sessions"
)

func writeConfig(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "hark.toml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestExampleConfig keeps hark.toml, which explains every key, and the struct that reads it together.
func TestExampleConfig(t *testing.T) {
	text, err := os.ReadFile("../../hark.toml")
	if err != nil {
		t.Fatal(err)
	}
	stands, err := loadConfig("../../hark.toml")
	if err != nil {
		t.Errorf("as it stands: %v", err)
	}
	if empty, err := loadConfig(writeConfig(t, "")); err != nil || !reflect.DeepEqual(stands, empty) {
		t.Errorf("the values in hark.toml are not the defaults: %v\n%+v\n%+v", err, stands, empty)
	}
	commented := regexp.MustCompile(`(?m)^# ([a-z_]+ += )`).ReplaceAllString(string(text), "$1")
	commented = strings.ReplaceAll(commented, "file:/etc/hark/ari.secret", "secret")
	commented = strings.ReplaceAll(commented, "file:/etc/hark/agi.nonce", "0123456789abcdef")
	commented = regexp.MustCompile(`file:/etc/hark/s3\.(access|secret)`).ReplaceAllString(commented, "$1")
	if _, err := loadConfig(writeConfig(t, commented)); err != nil {
		t.Errorf("with every line switched on: %v", err)
	}
	explained := map[string]bool{}
	meta, err := toml.Decode(commented, new(config))
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range meta.Keys() {
		explained[key.String()] = true
	}
	for _, key := range knownKeys(reflect.TypeFor[config](), "") {
		if !explained[key] {
			t.Errorf("hark.toml does not explain %s", key)
		}
	}
}

func TestConfigErrors(t *testing.T) {
	cases := []struct{ name, text, want string }{
		{"unknown key", "name = \"x:1\"\n[asterisk]\npasswort = \"x\"\n", ":3: unknown key asterisk.passwort; did you mean asterisk.password?"},
		{"unknown table", "[asterix]\nari = \"\"\n", ":1: unknown key asterix; did you mean asterisk?"},
		{"unlike anything", "xyzzyplugh = 1\n", ":1: unknown key xyzzyplugh"},
		{"not TOML", "name = \n", ":1: "},
		{"wrong type", "[asterisk]\ncalls = \"many\"\n", "hark.toml:2: asterisk.calls has the wrong type, string instead of integer"},
		{"wrong brackets", "\n[number]\ncalled = \"7000\"\n", "hark.toml:2: number has the wrong type, table instead of array, [ … ] or [[…]]"},
		{"time without a unit", "\n[node]\nlease = \"6\"\n", "hark.toml:3: node.lease \"6\" is no time like \"30s\""},
		{"no calls", "[asterisk]\ncalls = 0\n", ":2: asterisk.calls must be more than 0"},
		{"before the answer", "[asterisk]\nsettle = \"-1s\"\n", ":2: asterisk.settle must not be below 0"},
		{"sounds of one place", "[asterisk]\nsounds = \"/x\"\n", ":2: asterisk.sounds \"/x\" is not of the form local=path at Asterisk"},
		{"keep nothing", "[retain]\nage = \"-3d\"\n", ":2: retain.age must be more than 0"},
		{"keep nothing that was read", "[retain]\nread = \"0d\"\n", ":2: retain.read must be more than 0"},
		{"keep no message", "[retain]\ncount = 0\n", ":2: retain.count must be more than 0"},
		{"fetch from words", "[vxml]\nallow = [\"dialogues.example.org\"]\n", ":2: vxml.allow fetch: base \"dialogues.example.org\" is not http(s)://host/"},
		{"links to nowhere", "[listen]\nweb = \"\"\n", "audio.url is missing: with listen.web = \"\""},
		{"PINs on the network", "[listen]\npresence = \"0.0.0.0:7778\"\n", ":2: listen.presence \"0.0.0.0:7778\" would have PINs in plain text on a network: write \"tls://0.0.0.0:7778\""},
		{"PINs on every network", "[listen]\npresence = \":7778\"\n", ":2: listen.presence \":7778\" would have PINs in plain text"},
		{"no password", "[asterisk]\nari = \"http://127.0.0.1:8088/ari\"\n", "asterisk.password is missing"},
		{"secret file", "[asterisk]\n\npassword = \"file:/no/such\"\n", ":3: asterisk.password cannot be read"},
		{"secret variable", "[asterisk]\npassword = \"env:HARK_NO_SUCH\"\n", "HARK_NO_SUCH"},
		{"not a URL", "[asterisk]\npassword = \"p\"\nari = \"localhost\"\n", ":3: asterisk.ari \"localhost\" is not a URL"},
		{"not an address", "[listen]\nweb = \"8080\"\n", ":2: listen.web \"8080\" is not host:port"},
		{"FastAGI for all", "[listen]\nagi = \"0.0.0.0:4573\"\nagi_nonce = \"0123456789abcdef\"\n", ":2: listen.agi \"0.0.0.0:4573\" is not a loopback address"},
		{"operator's page for all", "[listen]\nadmin = \":8081\"\n", ":2: listen.admin \":8081\" is neither a loopback address"},
		{"FastAGI without nonce", "[listen]\nagi = \"127.0.0.1:4573\"\n", "listen.agi_nonce is missing"},
		{"link without slash", "[audio]\nurl = \"https://x/a\"\n", ":2: audio.url"},
		{"bucket", "[audio]\nbucket = \"s3.example.org/hark\"\n", ":2: audio.bucket \"s3.example.org/hark\" is not a URL"},
		{"bucket without a name", "[audio]\nbucket = \"https://s3.example.org/\"\n", ":2: audio.bucket \"https://s3.example.org/\" names no bucket"},
		{"bucket without a secret", "[audio]\nbucket = \"https://s3.example.org/hark/\"\n", ":2: audio.bucket needs audio.bucket_access"},
		{"nothing may be kept", "[audio]\nmessages = 0\n", ":2: audio.messages must be more than 0"},
		{"below zero", "[audio]\nplays = -1\n", "audio.plays must not be below 0"},
		{"proxies", "[listen]\nproxies = [\"proxy.internal\"]\n", ":2: listen.proxies \"proxy.internal\" is neither an address"},
		{"transfer without a trunk", "[vxml]\ntransfer = [\"3\"]\n[dial]\ntrunks = { \"2\" = \"PJSIP/{number}@t\" }\n", ":2: vxml.transfer \"3\" begins like no number that dial.trunks takes"},
		{"transfer to words", "[vxml]\ntransfer = [\"2x\"]\n[dial]\ntrunks = { \"2\" = \"PJSIP/{number}@t\" }\n", ":2: vxml.transfer prefix \"2x\" is not made of digits"},
		{"synthesiser", "[prompts]\nsynthesiser = \"hal\"\n", ":2: prompts.synthesiser \"hal\" is not flite"},
		{"duration", "[audio]\nkeep = \"long\"\n", "long"},
		{"database", "db = \"mysql://x/y\"\n", ":1: db \"mysql://x/y\" is neither a file nor postgres://"},
		{"nodes without an address", "db = \"postgres://h/d\"\n", "listen.presence is missing"},
		{"nodes without a name", "db = \"postgres://h/d\"\n[listen]\npresence = \"tls://:7778\"\n", "name is localhost"},
		{"lease", "[node]\nlease = \"1s\"\n", ":2: node.lease is 1s"},
		{"dialling into the dialplan", "[dial]\ntrunks = { \"2\" = \"Local/{number}@x\" }\n", ":2: dial.trunks cannot be used for \"2\": \"Local/{number}@x\" leads into the dialplan"},
		{"dialling words", "[dial]\ntrunks = { \"two\" = \"PJSIP/{number}\" }\n", "prefix \"two\" is not made of digits"},
		{"trunks are no list", "[dial]\ntrunks = \"x\"\n", ":2: dial.trunks is no table like {"},
		{"a trunk is no number", "[dial]\n\ntrunks = { \"2\" = 3 }\n", ":3: dial.trunks has no string for \"2\""},
		{"two at once", "nome = 1\n[log]\nlevel = \"loud\"\n", "did you mean name?\n"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := loadConfig(writeConfig(t, c.text))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want …%s…", err, c.want)
			}
		})
	}
}

// TestWrongTypes gives every key a value of a type that it cannot have: each is told, with the line and the key.
func TestWrongTypes(t *testing.T) {
	var wrong func(of reflect.Type, table string)
	wrong = func(of reflect.Type, table string) {
		for i := range of.NumField() {
			field := of.Field(i)
			key, value, header := field.Tag.Get("toml"), `"true"`, ""
			switch field.Type.Kind() {
			case reflect.Struct:
				wrong(field.Type, "["+key+"]")
			case reflect.Slice:
				if element := field.Type.Elem(); element.Kind() == reflect.Struct {
					wrong(element, "[["+key+"]]")
				}
			case reflect.String:
				value = "7"
			}
			if name := strings.Trim(table, "[]"); name != "" {
				header, key = table+"\n", name+"."+key
			}
			text := header + field.Tag.Get("toml") + " = " + value + "\n"
			want := fmt.Sprintf("hark.toml:%d: %s ", strings.Count(text, "\n"), key)
			if _, err := loadConfig(writeConfig(t, text)); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%q: got %v, want %s…", text, err, want)
			}
		}
	}
	wrong(reflect.TypeFor[config](), "")
}

func TestConfigMissing(t *testing.T) {
	_, err := loadConfig(filepath.Join(t.TempDir(), "none.toml"))
	if err == nil || !strings.Contains(err.Error(), "copy hark.toml there") {
		t.Errorf("got %v", err)
	}
}

func TestConfigDefaults(t *testing.T) {
	c, err := loadConfig(writeConfig(t, "db = \"/srv/h/hark.db\"\n[[number]]\ncalled=\"12\"\n"))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := c.Retain.retention(), (sessions.Retention{Age: 720 * time.Hour, Read: 168 * time.Hour, Count: 1000}); got != want {
		t.Errorf("messages are kept %+v, want %+v", got, want)
	}
	if got := fmt.Sprint(c.Audio.Keep, c.Node.Lease, c.Asterisk.Settle); got != "30d 6s 0s" {
		t.Errorf("times are printed as %s", got)
	}
	got := []string{c.Keys, c.Prompts.Cache, c.Audio.Dir, c.Audio.URL, c.Numbers[0].Dialogue, c.Numbers[0].Language}
	want := []string{"/srv/h/hark.keys", "/srv/h/speech", "/srv/h/audio", "http://127.0.0.1:8080/a/", "messenger", "en"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestConfigPostgres(t *testing.T) {
	c, err := loadConfig(writeConfig(t, "name = \"a:7778\"\ndb = \"postgres://hark:hidden@h/d\"\n[listen]\npresence = \"tls://:7778\"\n"))
	if err != nil {
		t.Fatal(err)
	}
	got := []string{c.Keys, c.Data, c.address(), c.database()}
	want := []string{"/var/lib/hark/hark.keys", "/var/lib/hark", "harks://a:7778", "postgres://hark:xxxxx@h/d"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
