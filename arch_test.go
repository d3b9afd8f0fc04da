package hark

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// mayImport is the architecture: which package of Hark may import which others. A package that is not listed may not
// exist; ARCHITECTURE.md explains the picture.
var mayImport = map[string][]string{
	"hark":                       {},
	"hark/im":                    {},
	"hark/im/imtest":             {"hark/im"},
	"hark/im/xmpp":               {"hark/im", "hark/internal/shallow"},
	"hark/im/local":              {"hark/im"},
	"hark/db":                    {},
	"hark/db/dbtest":             {},
	"hark/audio":                 {"hark/audio/lame", "hark/audio/opus", "hark/audio/qr"},
	"hark/audio/lame":            {},
	"hark/audio/opus":            {},
	"hark/audio/qr":              {},
	"hark/prompts":               {"hark/internal/wav"},
	"hark/audio/s3":              {"hark/audio"},
	"hark/audio/s3/s3test":       {"hark/audio/s3"},
	"hark/audio/audiotest":       {"hark/audio"},
	"hark/accounts":              {"hark/im", "hark/db"},
	"hark/sessions":              {"hark/im", "hark/db"},
	"hark/sessions/sessionstest": {"hark/im", "hark/sessions"},
	"hark/presence":              {"hark/im", "hark/sessions", "hark/accounts", "hark/presence/wire"},
	"hark/presence/wire":         {"hark/im"},
	"hark/presence/presencetest": {"hark/im", "hark/sessions", "hark/accounts", "hark/db", "hark/presence", "hark/presence/wire"},
	"hark/ivr":                   {"hark/im", "hark/presence", "hark/presence/wire", "hark/accounts", "hark/prompts", "hark/internal/wav"},
	"hark/ivr/asterisk":          {"hark/ivr"},
	"hark/ivr/stasis":            {"hark/ivr", "hark/ivr/asterisk", "hark/prompts"},
	"hark/ivr/fastagi":           {"hark/ivr", "hark/ivr/asterisk", "hark/prompts", "hark/internal/wav"},
	"hark/ivr/console":           {"hark/ivr", "hark/prompts", "hark/internal/wav"},
	"hark/ivr/ivrtest":           {"hark/ivr", "hark/prompts", "hark/internal/wav"},
	"hark/ivr/linetest":          {"hark/prompts", "hark/internal/sipphone", "hark/internal/wav"},
	"hark/dialplan":              {},
	"hark/vxml":                  {"hark/ivr", "hark/prompts", "hark/vxml/ecma", "hark/vxml/fetch", "hark/vxml/sound", "hark/vxml/srgs", "hark/vxml/xmltree"},
	"hark/vxml/ecma":             {"hark/vxml/xmltree"},
	"hark/vxml/fetch":            {},
	"hark/vxml/srgs":             {"hark/vxml/ecma", "hark/vxml/xmltree"},
	"hark/vxml/sound":            {"hark/internal/g711"},
	"hark/vxml/xmltree":          {},
	"hark/web":                   {"hark/im", "hark/presence", "hark/presence/wire", "hark/accounts", "hark/vxml/sound"},
	"hark/internal/g711":         {},
	"hark/internal/sipphone":     {"hark/internal/g711", "hark/internal/wav"},
	"hark/internal/shallow":      {},
	"hark/internal/wav":          {},
	"hark/internal/testbed":      {},
	"hark/internal/xmpppeer":     {},
	"hark/cmd/hark":              {"*"},
	"hark/cmd/lab":               {"*"},
}

func TestImports(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`, "./...").Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		allowed, known := mayImport[fields[0]]
		if !known {
			t.Errorf("package %s is not in the architecture: add it to mayImport and to ARCHITECTURE.md", fields[0])
			continue
		}
		for _, imported := range fields[1:] {
			if strings.HasPrefix(imported, "hark/") && !slices.Contains(allowed, imported) && !slices.Contains(allowed, "*") {
				t.Errorf("%s imports %s, which the architecture does not allow", fields[0], imported)
			}
		}
	}
}
