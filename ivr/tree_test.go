package ivr

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"hark/prompts"
)

// leadsTo lists the nodes that a node declares it may lead to.
func (n *node) leadsTo() []state {
	list := slices.Clone(n.next)
	if n.back != "" {
		list = append(list, n.back)
	}
	for _, k := range n.keys {
		list = append(list, k.to)
	}
	return slices.DeleteFunc(list, func(s state) bool { return s == stay || s == help || s == startAgain })
}

func TestEveryStateExists(t *testing.T) {
	for name, n := range tree {
		for _, to := range n.leadsTo() {
			if to != done && tree[to] == nil {
				t.Errorf("%s leads to %q, which is not declared", name, to)
			}
		}
		if n.run == nil || n.kind == "" {
			t.Errorf("%s has no step or no kind", name)
		}
	}
}

func TestEveryStateIsReachedAndLeadsOut(t *testing.T) {
	from := reach(atAnswer)
	for name := range tree {
		if !from[name] && name != atSorry && name != atLost && name != atGiveUp {
			t.Errorf("nothing leads to %s", name)
		}
		if !reach(name)[done] {
			t.Errorf("%s is a dead end", name)
		}
	}
}

// reach is everything that can be reached from a state.
func reach(from state) map[state]bool {
	seen := map[state]bool{}
	for todo := []state{from}; len(todo) > 0; {
		at := todo[0]
		todo = todo[1:]
		if seen[at] {
			continue
		}
		seen[at] = true
		if n := tree[at]; n != nil {
			todo = append(todo, n.leadsTo()...)
		}
	}
	return seen
}

func TestUniversalKeys(t *testing.T) {
	for name, n := range tree {
		if n.kind != menu && n.kind != reading {
			continue
		}
		for _, press := range []string{"0", "*", "#", "9"} {
			if !slices.ContainsFunc(n.keys, func(k key) bool { return k.press == press }) {
				t.Errorf("%s has nothing on %s", name, press)
			}
		}
		if n.help == "" {
			t.Errorf("%s has no help", name)
		}
		if i := slices.IndexFunc(n.keys, func(k key) bool { return k.press == "9" }); n.keys[i].to != atEnd {
			t.Errorf("9 does not end the call in %s", name)
		}
	}
}

func TestFieldsHaveTheirPromptsAndAWayBack(t *testing.T) {
	for name, n := range tree {
		if n.kind == field && (n.back == "" || n.help == "" || n.prompt == "" || n.take == nil || n.max == nil) {
			t.Errorf("%s is not complete", name)
		}
	}
}

func TestKeysAreOfferedOrReachable(t *testing.T) {
	for name, n := range tree {
		offered := 0
		for i, k := range n.keys {
			if k.label == "" {
				t.Errorf("%s: key %s has no label", name, k.press)
			}
			if !k.hot && k.press != "*" && k.press != "#" && k.when == nil {
				offered++
			}
			for _, other := range n.keys[:i] {
				if other.press == k.press && (other.when == nil || k.when == nil) {
					t.Errorf("%s has key %s twice", name, k.press)
				}
			}
		}
		if offered > 4 {
			t.Errorf("%s offers %d choices, more than four", name, offered)
		}
	}
}

// TestDepth counts menus from the main menu on: whoever is lost is at most three steps from home.
func TestDepth(t *testing.T) {
	depth := map[state]int{atHome: 0}
	for todo := []state{atHome}; len(todo) > 0; todo = todo[1:] {
		for _, to := range tree[todo[0]].leadsTo() {
			if _, seen := depth[to]; seen || to == done {
				continue
			}
			depth[to] = depth[todo[0]]
			if tree[to].kind == menu || tree[to].kind == field {
				depth[to]++
			}
			todo = append(todo, to)
		}
	}
	for name, d := range depth {
		if d > 3 {
			t.Errorf("%s is %d menus deep", name, d)
		}
	}
}

func TestNothingIsAnnouncedInThese(t *testing.T) {
	for _, name := range []state{atPIN, atCodePIN, atRecord, atReview} {
		if !tree[name].quiet {
			t.Errorf("%s may be interrupted by a notice", name)
		}
	}
	for name, n := range tree {
		if n.kind == menu && !n.quiet && !n.leads(atReader) && name != atAway {
			t.Errorf("%s announces messages that hash does not lead to", name)
		}
	}
}

// TestPromptsExist walks the tree and looks up every prompt that it names, with everything that fills it.
func TestPromptsExist(t *testing.T) {
	book, err := prompts.LoadBook(nil, "")
	if err != nil {
		t.Fatal(err)
	}
	args := prompts.Args{"name": "Ben", "number": 1, "text": "Yes.", "count": 2, "from": oClock(22), "to": oClock(7)}
	for _, lang := range book.Languages() {
		for name, n := range tree {
			for _, id := range promptsOf(n) {
				if _, err := book.Text(lang, id, args); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
		}
		for _, r := range spokenEmoji {
			if _, err := book.Text(lang, emojiID(r), nil); err != nil {
				t.Error(err)
			}
		}
	}
}

// promptsOf lists the prompts that a node declares.
func promptsOf(n *node) []string {
	var list []string
	if n.help != "" {
		list = append(list, n.help)
	}
	list = append(list, n.said...)
	if n.prompt != "" {
		list = append(list, n.prompt, n.prompt+".long")
	}
	if n.kind == spelling {
		list = append(list, n.letters.prompt, n.letters.full)
	}
	for _, k := range n.keys {
		list = append(list, k.label)
	}
	return list
}

// TestPromptsAreUsed finds prompts that the dialogue lost.
func TestPromptsAreUsed(t *testing.T) {
	book, err := prompts.LoadBook(nil, "")
	if err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	for _, n := range tree {
		for _, id := range promptsOf(n) {
			used[id] = true
		}
	}
	for _, id := range slices.Concat(saidInSource(t), composed()) {
		used[id] = true
	}
	for _, id := range book.IDs() {
		if !used[id] && !strings.HasPrefix(id, "emoji.") {
			t.Errorf("prompt %s is said nowhere", id)
		}
	}
	for id := range maps.Keys(used) {
		if !slices.Contains(book.IDs(), id) {
			t.Errorf("there is no prompt %s", id)
		}
	}
}

// composed are ids that the source puts together.
func composed() []string {
	list := []string{
		"home.from", "home.from.voice", "home.from.one", "home.from.one.voice",
		"who.available", "who.away", "who.busy", "who.offline",
	}
	list = append(list, quickIDs...)
	for _, r := range strings.Join(allLetters(), "") {
		list = append(list, letterID(r))
	}
	for digit := range 10 {
		list = append(list, fmt.Sprintf("digit.%d", digit))
	}
	return list
}

// allLetters are what the keypads of all languages write.
func allLetters() []string {
	var list []string
	for _, p := range pads {
		list = append(list, p[:]...)
	}
	return list
}

// TestUndeclaredStep shows that a step which leaves the declared tree ends the call instead of going there.
func TestUndeclaredStep(t *testing.T) {
	c := &Call{at: atHome, node: tree[atHome]}
	if next, err := c.check(atDraft); err == nil {
		t.Errorf("home leads to %s, which it does not declare", next)
	}
	if next, err := c.check(atWho); err != nil || next != atWho {
		t.Errorf("home does not lead to %s: %v", atWho, err)
	}
}

// saidInSource finds the ids that the sources of this package say literally.
func saidInSource(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	said := regexp.MustCompile(`(?:say|words)\("([a-z0-9.]+)"[,)]|"((?:text)\.[a-z]+)"`)
	var list []string
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range said.FindAllStringSubmatch(string(source), -1) {
			list = append(list, m[1]+m[2])
		}
	}
	return list
}
