package presence

import (
	"os"
	"reflect"
	"strings"
	"testing"

	"hark/im"
	"hark/presence/wire"
)

// TestDocument holds docs/protocol.md against the code: every verb, event and code, and every member of every payload, is
// explained there.
func TestDocument(t *testing.T) {
	text, err := os.ReadFile("../docs/protocol.md")
	if err != nil {
		t.Fatal(err)
	}
	explained := map[string]bool{} // every word in `…`
	for i, part := range strings.Split(strings.ReplaceAll(string(text), "```", ""), "`") {
		if i%2 == 1 {
			for _, word := range strings.FieldsFunc(part, func(r rune) bool { return strings.ContainsRune(" {}\":,[]", r) }) {
				explained[word] = true
			}
		}
	}
	words := []string{
		wire.Hello, wire.Exists, wire.Delivery, wire.Presence, wire.Service, wire.Bye, wire.Typing, wire.Ping,
		wire.AuthFailed, wire.Expired, wire.NoSession, wire.Referral, wire.BadCredentials, wire.Unavailable, wire.TryLater,
		wire.Limit, wire.Fenced, wire.Changed, wire.NotFound, wire.TooLong, wire.Syntax,
	}
	for verb := range verbs {
		words = append(words, verb)
	}
	for _, payload := range []any{
		wire.HelloEvent{}, wire.LoginRequest{}, wire.ResumeRequest{}, wire.SessionReply{}, wire.FetchRequest{}, wire.Message{}, wire.FetchReply{},
		wire.AckRequest{}, wire.SendRequest{}, wire.SendReply{}, wire.RosterReply{}, wire.StatusRequest{}, wire.TypingRequest{}, wire.StateRequest{},
		wire.StateReply{}, wire.PlaceValue{}, wire.DraftValue{}, wire.Unsent{}, wire.ExistsEvent{}, wire.ServiceEvent{}, wire.NetworksReply{},
		im.Delivery{}, im.Presence{}, im.ChatState{},
	} {
		words = append(words, members(reflect.TypeOf(payload))...)
	}
	for _, word := range words {
		if !explained[word] {
			t.Errorf("docs/protocol.md does not explain %q", word)
		}
	}
}

// members are the names in JSON of a type's fields, and of those of the types in it.
func members(t reflect.Type) (names []string) {
	for t.Kind() == reflect.Slice || t.Kind() == reflect.Map {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return nil
	}
	for i := range t.NumField() {
		field := t.Field(i)
		if name, _, _ := strings.Cut(field.Tag.Get("json"), ","); name != "" {
			names = append(names, name)
		} else if !field.Anonymous {
			continue
		}
		if field.Type != reflect.SliceOf(t) { // older ones in the same form
			names = append(names, members(field.Type)...)
		}
	}
	return names
}
