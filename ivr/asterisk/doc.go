// Package asterisk has what holds for every way in which Hark talks with an Asterisk: over ARI (ivr/stasis) and over FastAGI
// (ivr/fastagi).
package asterisk
