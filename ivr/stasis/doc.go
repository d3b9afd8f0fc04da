// Package stasis is the telephone over Asterisk's REST interface (ARI): every channel that the dialplan hands to
// Stasis(hark) becomes an ivr.Line and is given to one Handle.
//
// # What speaks to Asterisk
//
// Events come over one websocket with a reader of our own, commands go over REST with a small client of our own; the
// shapes of both are those of github.com/CyCoreSystems/ari/v5. That module's own event path loses events under load and
// dies of event types that it does not know, and its REST calls take no context and no time limit: one Asterisk that
// hangs would hang every call for ever. A filter set at Asterisk keeps all event types away that nobody here reads.
//
// # What becomes of a call when something breaks
//
//   - The websocket is cut: no call is dropped. While it is away a Gather holds its breath. When it is back, Asterisk is
//     asked which channels still are ours; calls whose channel is gone end with ivr.ErrHangup. The keys of the gap are
//     lost, so what was half keyed is dropped as a whole and Gather plays its clips again from the first. A recording
//     goes on; if it ended in the gap, Record returns it.
//   - Asterisk restarts: its channels are gone, so every call ends with ivr.ErrHangup as soon as it answers again.
//     Recordings that were running are fetched from its disk and their header is mended.
//   - This process dies: Asterisk keeps the channels. The next Run finds them, ends what is still being played there, and
//     calls Handle with a Line whose Adopted is true, whose State is the last one set by SetState, and whose Unfinished
//     is the recording that was under way. If the caller has hung up by then, App.Left is asked what becomes of the
//     recording.
//   - The disk of Asterisk's spool is full in a recording: Asterisk ends it and calls it done. The size of the file tells,
//     and Record returns ivr.LineFail with what there is.
//   - Packets are held up and then come all at once: Asterisk tells some keys twice; echoes drops the second time.
//   - Another process connects under the same name: the calls are its calls now. Run returns ErrReplaced and leaves all
//     channels as they are.
//
// # Sound in a recording
//
// Asterisk plays nothing in a channel that it records. The tick before the limit of a recording is played in a channel of
// our own (a snoop) that whispers into the caller's; it is not in the recording.
//
// # The first word
//
// Answer does not wait for the caller's sound: the first packet of a prompt leaves 3 to 5 ms after the answer. A caller
// behind an address translator, whose telephone has not sent a packet yet, can lose the first word; App.AnswerPause
// (zero unless set, since most callers come from a provider's trunk) gives it time.
package stasis
