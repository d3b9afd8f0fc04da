// Package vxml interprets VoiceXML 2.1 (DTMF profile) on an ivr.Line.
package vxml
