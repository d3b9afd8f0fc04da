// Package audio keeps voice messages: checks, encodes, stores, links and serves them.
package audio
