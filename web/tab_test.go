package web_test

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"hark/presence/presencetest"
)

// A tab is a tab of a real Chromium.
type tab struct {
	*testing.T
	ctx context.Context
}

func openTab(t *testing.T) *tab {
	t.Helper()
	need(t, "chromium", "chromium")
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath("chromium"), chromedp.NoSandbox, chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("use-fake-device-for-media-stream", true), chromedp.Flag("use-fake-ui-for-media-stream", true))
	ctx, cancel := context.WithTimeout(context.Background(), 4*time.Minute)
	t.Cleanup(cancel)
	ctx, stop := chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(stop)
	ctx, closeTab := chromedp.NewContext(ctx)
	t.Cleanup(func() {
		if err := chromedp.Cancel(ctx); err != nil {
			t.Log(err)
		}
		closeTab()
	})
	if err := chromedp.Run(ctx); err != nil { // the browser lives as long as this context
		t.Fatal(err)
	}
	return &tab{T: t, ctx: ctx}
}

func (b *tab) run(actions ...chromedp.Action) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, time.Minute)
	defer cancel()
	if err := chromedp.Run(ctx, actions...); err != nil {
		var page string
		chromedp.Run(b.ctx, chromedp.OuterHTML("body", &page))
		b.Fatalf("%v\n%s", err, page)
	}
}

// look is the pause between two looks at the page.
const look = 20 * time.Millisecond

// until asks the page again and again, until a script says true. Between two pages there is nobody to answer, which is
// no more than "not yet".
func (b *tab) until(what, script string) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, time.Minute)
	defer cancel()
	looks := time.NewTicker(look)
	defer looks.Stop()
	for yes := false; ; {
		err := chromedp.Run(ctx, chromedp.Evaluate(script, &yes, asUser))
		if err == nil && yes {
			return
		}
		select {
		case <-looks.C:
		case <-ctx.Done():
			shown := ""
			chromedp.Run(b.ctx, chromedp.Evaluate("document.body ? document.body.innerText : ''", &shown))
			b.Fatalf("never came: %s (last error: %v)\n%s", what, err, shown)
		}
	}
}

// sees waits until the page shows some words.
func (b *tab) sees(words ...string) {
	b.Helper()
	for _, w := range words {
		b.until("the page says "+w, "!!document.body && document.body.innerText.includes("+quoted(w)+")")
	}
}

// awaited has Evaluate wait for a promise.
func awaited(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }

// asUser has Evaluate do what only a user's own click may do.
func asUser(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithUserGesture(true) }

// quoted is a text as a script's string.
func quoted(s string) string {
	text, err := json.Marshal(s)
	if err != nil {
		panic(err) // a string always has a form in JSON
	}
	return string(text)
}

// once finds an element by XPath as soon as it is there, and does something with it. Both are one step within the page:
// a live page replaces its parts at any moment, and with them what was found a moment ago.
func (b *tab) once(xpath, do string) {
	b.Helper()
	b.until(xpath+" is there", fmt.Sprintf(`(function () {
		var e = document.evaluate(%s, document, null, XPathResult.FIRST_ORDERED_NODE_TYPE, null).singleNodeValue;
		if (!e || e.disabled) return false;
		e.%s();
		return true;
	})()`, quoted(xpath), do))
}

// press clicks the button that says so.
func (b *tab) press(words string) {
	b.Helper()
	b.once("//button[.="+quoted(words)+"] | //input[@type='submit' and @value="+quoted(words)+"]", "click")
}

// follow goes where the link with these words leads.
func (b *tab) follow(words string) {
	b.Helper()
	b.once("//a[contains(., "+quoted(words)+")]", "click")
}

// types presses keys in the field of that name.
func (b *tab) types(field, keys string) {
	b.Helper()
	b.once("//*[@name="+quoted(field)+" and not(@type='hidden')]", "focus")
	b.run(chromedp.KeyEvent(keys))
}

func (b *tab) login(site string) {
	b.Helper()
	b.run(chromedp.Navigate(site + "/"))
	b.types("user", presencetest.Ana)
	b.types("pin", presencetest.AnaPIN+"\r")
	b.sees("Welcome, Ana")
}

// scriptOff switches the pages' scripts off.
var scriptOff = emulation.SetScriptExecutionDisabled(true)
