package vxml

import (
	"context"
	"testing"

	"hark/vxml/fetch"
)

// BenchmarkCall is one call of a login-like document on a line that costs nothing: two fields and a script, the document
// compiled before.
func BenchmarkCall(b *testing.B) {
	s := &caseSite{files: map[string][]byte{"main.vxml": []byte(v(`<script>function ok(n, p) { return n.length + p.length == 11 }</script>
		<form><field name="user" type="digits?length=7"><prompt>Press '1234567' please.</prompt></field>
		<field name="pin" type="digits?length=4"><prompt>Press '1234' now.</prompt>
		<filled><if cond="ok(user, pin)"><prompt>Welcome.</prompt></if></filled></field></form>`))}}
	i, err := New(Options{Fetch: fetch.Options{Allow: []string{"http://app.example/"}, Transport: s}, Voice: wordVoice{}, Dir: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	defer i.Close()
	b.ReportAllocs()
	for b.Loop() {
		ctx, cancel := context.WithCancelCause(context.Background())
		line := &irLine{hang: cancel}
		if err := i.Handle(ctx, line, "http://app.example/main.vxml"); err != nil || line.heard[len(line.heard)-1] != "Welcome." {
			b.Fatal(err, line.heard)
		}
		cancel(nil)
	}
}
