// Package fetch gets the documents, grammars, scripts and sounds of VoiceXML applications: over HTTP with a cache after
// RFC 9111, and from files.
//
// Nothing is fetched from outside of the bases that the administrator allowed; a redirect is no way around that.
package fetch
