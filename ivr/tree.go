package ivr

import (
	"context"
	"fmt"
	"slices"

	"hark/prompts"
)

// A state names one step of the dialogue. The dialogue is a table of nodes by name, so that a test can walk it, a
// printer print it, and a place in it be kept.
type state string

// The states.
const (
	atAnswer     state = "answer"
	atNumber     state = "login.number"
	atPIN        state = "login.pin"
	atCode       state = "login.code"
	atCodePIN    state = "login.code.pin"
	atKnown      state = "login.known"
	atAway       state = "login.away"
	atArrive     state = "arrive"
	atDrafts     state = "drafts"
	atDraft      state = "draft"
	atHome       state = "home"
	atReader     state = "reader"
	atText       state = "reader.text"
	atVoice      state = "reader.voice"
	atPaused     state = "reader.paused"
	atLast       state = "reader.end"
	atMessage    state = "reader.more"
	atQuick      state = "answer.keys"
	atSpell      state = "spell"
	atWritten    state = "written"
	atWho        state = "who"
	atWhich      state = "who.which"
	atConfirm    state = "who.confirm"
	atRecord     state = "record"
	atReview     state = "review"
	atOnline     state = "online"
	atMore       state = "more"
	atStatus     state = "status"
	atSettings   state = "settings"
	atLanguage   state = "settings.language"
	atNewPIN     state = "settings.pin"
	atName       state = "settings.name"
	atNamed      state = "settings.name.new"
	atDial       state = "dial"
	atRung       state = "callback"
	atCallBack   state = "settings.callback"
	atRingNumber state = "settings.callback.number"
	atQuiet      state = "settings.callback.quiet"
	atDaily      state = "settings.callback.daily"
	atGiveUp     state = "giveup"
	atSorry      state = "sorry"
	atLost       state = "lost"
	atEnd        state = "end"
)

// Outcomes of a key that are no nodes.
const (
	done       state = "done" // the call is over
	stay       state = "="    // the same node again, with its choices
	help       state = "?"    // the node's help, then its choices
	startAgain state = "@"    // the same node from its beginning
	unused     state = "!"    // the node does not have the key
)

const (
	maxTurns       = 4 // turns without a good key until the call is given up
	troubleAllowed = 3 // failures in a row that a call survives
)

// A step does one thing in the dialogue and says where it goes on.
type step func(ctx context.Context, c *Call) (state, error)

// kind tells tests and printers what a node is made of.
type kind string

// The kinds of node.
const (
	passing   kind = "step"      // says something at most, waits for nothing
	menu      kind = "menu"      // waits for one key
	field     kind = "field"     // waits for a number
	reading   kind = "reading"   // reads a message while keys steer it
	recording kind = "recording" // takes the caller's voice
	spelling  kind = "spelling"  // takes letters
)

// A node is one state of the dialogue, declared.
type node struct {
	name state
	kind kind
	run  step
	back state // where star leads, "" where it does not
	// intro is what is said on entering, before the choices; nil says nothing.
	intro func(c *Call) []phrase
	// help is the id of the prompt behind 0. For a field, name and name+".long" are its other prompts.
	help string
	said []string // ids of prompts that run says, besides those named elsewhere
	keys []key
	next []state // where run itself may lead, besides what keys say
	// quiet says that nothing is announced here.
	quiet bool
	digits
	letters letters // what is spelled
}

// digits is what a field takes.
type digits struct {
	prompt string                                                      // id; long form is prompt+".long"
	max    func(s Settings) int                                        // longest number; a shorter one ends with hash
	hash   bool                                                        // the prompt asks for a hash, so one is awaited also when the number is whole
	exact  bool                                                        // a shorter one that was not ended with hash does not count
	take   func(ctx context.Context, c *Call, n string) (state, error) // a number was keyed
	asks   func(c *Call) string                                        // id of the prompt where it changes; nil is prompt
	empty  step                                                        // hash alone; nil is help
}

// A key is one key of a menu or of the reader.
type key struct {
	press string
	label string // id of the prompt that offers it
	to    state  // where it leads
	do    step   // what it does first, nil for nothing; it may also lead to the node's next, to stay or startAgain
	// hot keys are not offered among the choices, only in the long form and in help.
	hot bool
	// heard keys are not taken from what was typed ahead: the caller must have heard where he is.
	heard bool
	// when tells whether the key is there at the moment; nil is always.
	when func(c *Call) bool
	// args fills what the label has besides name; lang is the language it is said in, where it is another one.
	args func(c *Call) prompts.Args
	lang func(c *Call) string
}

// dialogue is the whole tree.
type dialogue map[state]*node

// leads tells whether the node may be followed by s.
func (n *node) leads(s state) bool {
	if s == atSorry || s == atLost || s == atGiveUp || slices.Contains(n.next, s) || s == n.back && s != "" {
		return true
	}
	return slices.ContainsFunc(n.keys, func(k key) bool { return k.to == s })
}

// key returns what the node has on a key.
func (n *node) key(c *Call, press string) (key, bool) {
	i := slices.IndexFunc(n.keys, func(k key) bool { return k.press == press && k.there(c) })
	if i < 0 {
		return key{}, false
	}
	return n.keys[i], true
}

// there tells whether the key can be pressed now.
func (k key) there(c *Call) bool { return k.when == nil || k.when(c) }

// universal are the keys that every menu and the reader have, unless they declare their own.
var universal = []key{
	{press: "0", label: "key.0", to: help, hot: true},
	{press: "#", label: "key.again", to: stay, hot: true},
	{press: "9", label: "key.9", to: atEnd, hot: true},
}

// newDialogue puts the nodes of all parts together and completes them.
func newDialogue() dialogue {
	d := dialogue{}
	for _, n := range allNodes() {
		if d[n.name] != nil {
			panic(fmt.Sprintf("ivr: state %s declared twice", n.name))
		}
		complete(n)
		d[n.name] = n
	}
	return d
}

// complete gives a node the universal keys.
func complete(n *node) {
	if n.kind != menu && n.kind != reading {
		return
	}
	back := key{press: "*", label: "key.back", to: n.back, hot: true}
	if n.back == atHome {
		back.label = "key.home"
	}
	for _, k := range append([]key{back}, universal...) {
		if !slices.ContainsFunc(n.keys, func(have key) bool { return have.press == k.press }) {
			n.keys = append(n.keys, k)
		}
	}
}
