package main

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/BurntSushi/toml"

	"hark/prompts"
	"hark/sessions"
	"hark/vxml/fetch"
)

// config is hark.toml. The file hark.toml in the project's root explains every key; TestExampleConfig keeps the two
// together. Only this package knows the file: all others take plain struct fields.
type config struct {
	Name     string         `toml:"name"`
	DB       string         `toml:"db"`
	Data     string         `toml:"data"`
	Keys     string         `toml:"keys"`
	Phone    string         `toml:"phone"`
	Log      logConfig      `toml:"log"`
	Listen   listenConfig   `toml:"listen"`
	Asterisk asteriskConfig `toml:"asterisk"`
	Numbers  []numberConfig `toml:"number"`
	Dial     dialConfig     `toml:"dial"`
	Prompts  promptsConfig  `toml:"prompts"`
	Audio    audioConfig    `toml:"audio"`
	XMPP     xmppConfig     `toml:"xmpp"`
	VXML     vxmlConfig     `toml:"vxml"`
	Retain   retainConfig   `toml:"retain"`
	Node     nodeConfig     `toml:"node"`
}

type logConfig struct {
	Level  string `toml:"level"`
	Format string `toml:"format"`
}

type listenConfig struct {
	Web      string   `toml:"web"`
	Proxies  []string `toml:"proxies"`
	PerAddr  int      `toml:"per_address"`
	Presence string   `toml:"presence"`
	Admin    string   `toml:"admin"`
	AGI      string   `toml:"agi"`
	AGINonce string   `toml:"agi_nonce"`
	Cert     string   `toml:"cert"`
	Key      string   `toml:"key"`
	CA       string   `toml:"ca"`
}

type asteriskConfig struct {
	ARI       string   `toml:"ari"`
	User      string   `toml:"user"`
	Password  string   `toml:"password"`
	App       string   `toml:"app"`
	Calls     int      `toml:"calls"`
	PerCaller int      `toml:"per_caller"`
	Sounds    string   `toml:"sounds"`
	Settle    duration `toml:"settle"`
}

type numberConfig struct {
	Called   string   `toml:"called"`
	Dialogue string   `toml:"dialogue"`
	Page     string   `toml:"page"`
	Language string   `toml:"language"`
	To       []string `toml:"to"`
	Prompts  string   `toml:"prompts"`
}

type promptsConfig struct {
	Dir         string   `toml:"dir"`
	Cache       string   `toml:"cache"`
	Synthesiser string   `toml:"synthesiser"`
	Voice       string   `toml:"voice"`
	Command     []string `toml:"command"`
	URL         string   `toml:"url"`
}

type xmppConfig struct {
	CA           string `toml:"ca"`
	AllowPrivate bool   `toml:"allow_private"`
}

type vxmlConfig struct {
	Allow    []string `toml:"allow"`
	Transfer []string `toml:"transfer"`
}

type retainConfig struct {
	Age   duration `toml:"age"`
	Read  duration `toml:"read"`
	Count int      `toml:"count"`
}

func (r retainConfig) retention() sessions.Retention {
	return sessions.Retention{Age: time.Duration(r.Age), Read: time.Duration(r.Read), Count: r.Count}
}

type nodeConfig struct {
	Lease duration `toml:"lease"`
}

// duration is a time.Duration written as "30s" or "12h"; days as "30d".
type duration time.Duration

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *duration) UnmarshalText(b []byte) error {
	text := string(b)
	unit := time.Duration(1)
	if days, ok := strings.CutSuffix(text, "d"); ok {
		text, unit = days+"h", 24
	}
	v, err := time.ParseDuration(text)
	if err != nil {
		return fmt.Errorf("%q is no time like \"30s\", \"12h\" or \"30d\"", b)
	}
	*d = duration(unit * v)
	return nil
}

// String writes it as it is written in the file.
func (d duration) String() string {
	const day = 24 * time.Hour
	if t := time.Duration(d); t < day || t%day != 0 {
		return t.String()
	}
	return fmt.Sprintf("%dd", time.Duration(d)/day)
}

// defaultConfig is what an empty file means: everything in one process, data in /var/lib/hark.
func defaultConfig() config {
	return config{
		Name:     "localhost:7778",
		DB:       "/var/lib/hark/hark.db",
		Log:      logConfig{Level: "info", Format: "text"},
		Listen:   listenConfig{Web: "127.0.0.1:8080", Proxies: []string{"127.0.0.0/8", "::1"}, PerAddr: 100},
		Asterisk: asteriskConfig{User: "hark", App: "hark", Calls: 200, PerCaller: 2},
		Prompts:  promptsConfig{Synthesiser: "flite"},
		Audio:    defaultAudio(),
		Dial:     dialConfig{Talks: 20},
		Retain:   retainConfig{Age: duration(30 * 24 * time.Hour), Read: duration(7 * 24 * time.Hour), Count: 1000},
		Node:     nodeConfig{Lease: duration(6 * time.Second)},
	}
}

// loadConfig reads and checks a file. Its error lists everything that is wrong, each with its line.
func loadConfig(path string) (config, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return config{}, fmt.Errorf("there is no configuration at %s: copy hark.toml there, or name another with -config", path)
	}
	if err != nil {
		return config{}, err
	}
	c := defaultConfig()
	meta, err := toml.Decode(string(text), &c)
	if err != nil {
		return config{}, unreadable(path, err)
	}
	var problems []error
	for _, key := range meta.Undecoded() {
		problems = append(problems, unknownKey(path, string(text), key))
	}
	for _, p := range c.finish() {
		problems = append(problems, fmt.Errorf("%s:%d: %s %s", path, lineOf(string(text), p.key), p.key, p.words))
	}
	return c, errors.Join(problems...)
}

// A problem is a value that cannot work: the key and the words after it.
type problem struct {
	key   toml.Key
	words string
}

// finish fills what follows from other values, and reads values kept elsewhere ("file:…", "env:…").
func (c *config) finish() (problems []problem) {
	bad := func(key, format string, args ...any) {
		problems = append(problems, problem{toml.Key(strings.Split(key, ".")), fmt.Sprintf(format, args...)})
	}
	setDefault(&c.Data, c.defaultData())
	setDefault(&c.Keys, filepath.Join(c.Data, "hark.keys"))
	setDefault(&c.Prompts.Cache, filepath.Join(c.Data, "speech"))
	setDefault(&c.Audio.Dir, filepath.Join(c.Data, "audio"))
	if c.Audio.URL == "" && c.Listen.Web != "" {
		c.Audio.URL = "http://" + c.Listen.Web + "/a/"
	}
	if len(c.Numbers) == 0 {
		c.Numbers = []numberConfig{{Called: "7000"}}
	}
	for i := range c.Numbers {
		setDefault(&c.Numbers[i].Dialogue, "messenger")
		setDefault(&c.Numbers[i].Language, "en")
	}
	secret, err := readSecret(c.Asterisk.Password)
	if err != nil {
		bad("asterisk.password", "cannot be read: %v", err)
	}
	c.Asterisk.Password = secret
	if c.Listen.AGINonce, err = readSecret(c.Listen.AGINonce); err != nil {
		bad("listen.agi_nonce", "cannot be read: %v", err)
	}
	c.check(bad)
	c.checkAGI(bad)
	c.checkAdmin(bad)
	c.checkDial(bad)
	return problems
}

// synthesiser is how speech is rendered.
func (c promptsConfig) synthesiser() prompts.SynthOptions {
	o := prompts.SynthOptions{Driver: c.Synthesiser, Command: c.Command, URL: c.URL}
	if c.Voice != "" {
		o.Voices = map[string]string{"en": c.Voice}
	}
	return o
}

// shared tells whether the database is one for several nodes.
func (c *config) shared() bool {
	return strings.HasPrefix(c.DB, "postgres://") || strings.HasPrefix(c.DB, "postgresql://")
}

// database is the database's name without a password.
func (c *config) database() string {
	if u, err := url.Parse(c.DB); err == nil && c.shared() {
		return u.Redacted()
	}
	return c.DB
}

// defaultData is the folder where everything is that is given no other place.
func (c *config) defaultData() string {
	if c.shared() {
		return "/var/lib/hark"
	}
	return filepath.Dir(strings.TrimPrefix(c.DB, "sqlite:"))
}

// address is how clients dial this node.
func (c *config) address() string {
	if c.Listen.Presence != "" && !c.secure() {
		return "hark://" + c.Name
	}
	return "harks://" + c.Name
}

// secure tells whether other processes' clients come over TLS.
func (c *config) secure() bool { return strings.HasPrefix(c.Listen.Presence, "tls://") }

// loopback tells whether a host is this machine's own address.
func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// checkNode tells what cannot work of several nodes on one database.
func (c *config) checkNode(bad func(key, format string, args ...any)) {
	if strings.Contains(c.DB, "://") && !c.shared() {
		bad("db", "%q is neither a file nor postgres://user@host/name", c.DB)
	}
	if host, _, err := net.SplitHostPort(c.Listen.Presence); err == nil && !c.secure() && !loopback(host) {
		bad("listen.presence", "%q would have PINs in plain text on a network: write \"tls://%s\", or an address of this machine's own like 127.0.0.1", c.Listen.Presence, c.Listen.Presence)
	}
	if c.shared() && c.Listen.Presence == "" {
		bad("listen.presence", "is missing: with PostgreSQL other nodes' clients must reach this one, as at \"tls://:7778\"")
	}
	if c.shared() && strings.HasPrefix(c.Name, "localhost:") && strings.HasPrefix(c.Listen.Presence, "tls://:") {
		bad("name", "is localhost: with several nodes each needs a name that the others reach it by, host:port")
	}
	if lease := time.Duration(c.Node.Lease); lease < 4*time.Second || lease > 5*time.Minute {
		bad("node.lease", "is %v: from 4s to 5m makes sense", lease)
	}
}

// check tells of every value that has the wrong form.
func (c *config) check(bad func(key, format string, args ...any)) {
	c.checkNode(bad)
	for key, address := range map[string]string{"listen.web": c.Listen.Web, "listen.presence": strings.TrimPrefix(c.Listen.Presence, "tls://")} {
		if address == "" {
			continue
		}
		if _, _, err := net.SplitHostPort(address); err != nil {
			bad(key, "%q is not host:port: %v", address, err)
		}
	}
	if c.Listen.PerAddr < 0 {
		bad("listen.per_address", "must not be below 0: 0 is any number")
	}
	if _, err := parseNetworks(c.Listen.Proxies); err != nil {
		bad("listen.proxies", "%v", err)
	}
	if u, err := url.Parse(c.Asterisk.ARI); c.Asterisk.ARI != "" && (err != nil || u.Host == "" || !strings.HasPrefix(u.Scheme, "http")) {
		bad("asterisk.ari", "%q is not a URL like http://127.0.0.1:8088/ari", c.Asterisk.ARI)
	}
	if c.Asterisk.ARI != "" && c.Asterisk.Password == "" {
		bad("asterisk.password", "is missing: give the password of the ARI user, or file:/path, or env:NAME")
	}
	for key, value := range map[string]int64{"asterisk.calls": int64(c.Asterisk.Calls), "retain.age": int64(c.Retain.Age), "retain.read": int64(c.Retain.Read), "retain.count": int64(c.Retain.Count)} {
		if value < 1 {
			bad(key, "must be more than 0")
		}
	}
	if c.Asterisk.Settle < 0 {
		bad("asterisk.settle", "must not be below 0")
	}
	if _, err := mediaMap(c.Asterisk.Sounds); err != nil {
		bad("asterisk.sounds", "%v", err)
	}
	for _, base := range c.VXML.Allow {
		if err := fetch.CheckBase(base); err != nil {
			bad("vxml.allow", "%v", err)
		}
	}
	c.checkAudio(bad)
	if _, err := c.wayOut(); err != nil {
		bad("vxml.transfer", "%v", err)
	}
	if !oneOf(c.Prompts.Synthesiser, "flite", "espeak-ng", "festival", "pico", "command", "http") {
		bad("prompts.synthesiser", "%q is not flite, espeak-ng, festival, pico, command or http", c.Prompts.Synthesiser)
	}
	if !oneOf(c.Log.Level, "debug", "info", "warn", "error") {
		bad("log.level", "%q is not debug, info, warn or error", c.Log.Level)
	}
	if !oneOf(c.Log.Format, "text", "json") {
		bad("log.format", "%q is not text or json", c.Log.Format)
	}
}

func oneOf(value string, values ...string) bool {
	for _, v := range values {
		if v == value {
			return true
		}
	}
	return false
}

func setDefault(value *string, fallback string) {
	if *value == "" {
		*value = fallback
	}
}

// readSecret resolves "file:/path" and "env:NAME"; anything else is the secret itself.
func readSecret(value string) (string, error) {
	if path, ok := strings.CutPrefix(value, "file:"); ok {
		b, err := os.ReadFile(path)
		return strings.TrimSpace(string(b)), err
	}
	if name, ok := strings.CutPrefix(value, "env:"); ok {
		secret, set := os.LookupEnv(name)
		if !set {
			return "", fmt.Errorf("the environment has no %s", name)
		}
		return secret, nil
	}
	return value, nil
}
