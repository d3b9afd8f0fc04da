package stasis

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/CyCoreSystems/ari/v5"
)

// wanted are the types of events that are read here; Asterisk is told to send no others.
var wanted = []string{
	"ApplicationReplaced",
	"StasisStart", "StasisEnd",
	"ChannelHangupRequest", "ChannelDestroyed", "ChannelDtmfReceived",
	"PlaybackStarted", "PlaybackFinished",
	"RecordingStarted", "RecordingFinished", "RecordingFailed",
	"ChannelUserevent", // of our own
	"Dial",             // of a channel that was dialled
}

// An event is any of the wanted events of ARI: of all the fields that they have, those that matter here. There is one for
// every key of every caller, so what is not needed is not read.
type event struct {
	Type        string       `json:"type"`
	Application string       `json:"application"`
	Timestamp   ari.DateTime `json:"timestamp"`
	Args        []string     `json:"args"`
	Channel     *channel     `json:"channel"`
	Digit       string       `json:"digit"`
	Held        int64        `json:"duration_ms"` // of the key
	Peer        *channel     `json:"peer"`
	DialStatus  string       `json:"dialstatus"`
	Cause       int          `json:"cause"`
	Playback    struct {
		ID        string `json:"id"`
		TargetURI string `json:"target_uri"`
		State     string `json:"state"`
	} `json:"playback"`
	Recording struct {
		Name      string `json:"name"`
		TargetURI string `json:"target_uri"`
		Cause     string `json:"cause"`
	} `json:"recording"`
}

// A channel is what is told of a call's leg.
type channel struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	State  string `json:"state"`
	Caller struct {
		Number string `json:"number"`
	} `json:"caller"`
	Dialplan struct {
		Exten string `json:"exten"`
	} `json:"dialplan"`
}

// decodeEvent reads one frame of the websocket. An event that nobody wants has its Type set and no more; its error tells
// no content, since content may be keys.
func decodeEvent(frame []byte) (event, error) {
	var e event
	err := json.Unmarshal(frame, &e) // what does not fit is passed over, so that the type is known all the same
	if err != nil && e.Type == "" {
		return event{}, fmt.Errorf("stasis: %d bytes that are no event", len(frame))
	}
	if _, known := noteKinds[e.Type]; !known && !aboutChannels[e.Type] {
		return event{Type: e.Type}, nil
	}
	if err != nil {
		return event{Type: e.Type}, fmt.Errorf("stasis: an event %s that cannot be read", e.Type)
	}
	return e, nil
}

// channelID is the channel that the event is about: its own, or the one that a playback or recording is bound to.
func (e *event) channelID() string {
	switch {
	case e.Channel != nil:
		return e.Channel.ID
	case e.Peer != nil:
		return e.Peer.ID
	case e.Playback.ID != "":
		return strings.TrimPrefix(e.Playback.TargetURI, "channel:")
	}
	return strings.TrimPrefix(e.Recording.TargetURI, "channel:")
}

// A kind tells what a note says.
type kind int

const (
	keyPressed  kind = iota
	playStarted      // once for each file of a list
	playEnded
	recordStarted
	recordEnded
	recordFailed
	hungUp   // the caller, or somebody else, ends the call
	left     // the channel has left the application; nothing more comes of it
	linkDown // events do not arrive any more
	linkUp   // events arrive again; what happened in between is lost
	expired  // never queued: a wait reached its deadline

	farAnswered // the side that was dialled: it answered
	farEnded    // it hung up, or could not be had
)

// aboutChannels are types of events that no note of a caller's call is made of.
var aboutChannels = map[string]bool{"StasisStart": true, "ApplicationReplaced": true, "Dial": true}

// noteKinds says which note a call gets of which event.
var noteKinds = map[string]kind{
	"ChannelDtmfReceived":  keyPressed,
	"PlaybackStarted":      playStarted,
	"PlaybackFinished":     playEnded,
	"RecordingStarted":     recordStarted,
	"RecordingFinished":    recordEnded,
	"RecordingFailed":      recordFailed,
	"ChannelHangupRequest": hungUp,
	"ChannelDestroyed":     left,
	"StasisEnd":            left,
}

// A note is what a call is told of an event.
type note struct {
	kind   kind
	at     time.Time // when it arrived, with the monotonic clock
	stamp  time.Time // when it happened, by Asterisk's clock
	id     string    // of the playback or of the dialled channel, or the name of the recording
	key    byte
	held   time.Duration // how long the key was
	failed bool          // a playback that could not be played
	status string        // of farEnded: Asterisk's word, or ""
	cause  int           // of farEnded: Q.850
}

// note makes the call's note of an event, if there is one to be made.
func (e *event) note(at time.Time) (note, bool) {
	k, ok := noteKinds[e.Type]
	n := note{kind: k, at: at, stamp: time.Time(e.Timestamp)}
	switch k {
	case keyPressed:
		if len(e.Digit) != 1 {
			return n, false
		}
		n.key, n.held = e.Digit[0], time.Duration(e.Held)*time.Millisecond
	case playStarted, playEnded:
		n.id, n.failed = e.Playback.ID, e.Playback.State == "failed"
	case recordStarted, recordEnded, recordFailed:
		n.id = e.Recording.Name
	}
	return n, ok
}
