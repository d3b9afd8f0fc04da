// Package web is the front door for browsers, also for old and small ones: pages without any script, over the same wire
// protocol as the telephone. It keeps no state: each request resumes the session at the presence server by its token,
// and leaves it again.
//
// A handler makes a Page, which says what there is to see and to do, but not how. It is written as XHTML Basic 1.1, with
// attributes and a script on top for browsers of today (html.go, script.js); as WML 1.1 (wml.go), HDML 3.0 (hdml.go) or
// VoiceXML 2.1 (vxml.go), cut into decks that small screens can hold (small.go). The request's headers choose (markup.go),
// or "?as=wml" in the address.
//
// # Where the token is
//
// In a cookie (HttpOnly, SameSite) where the browser has cookies, which the login page finds out. Else in the path of
// each page, "/s/TOKEN/inbox", and then it is renewed with every page, with one step of grace for Back (threat T5). It
// never reaches a log, a Location header, or another host: links in messages lead to a page without it.
//
// # What a request may do
//
// GET changes nothing. Every form carries a one-time number, and what it does is made idempotent by it, so that sending
// the same form twice is the same as once (threat T6).
package web
