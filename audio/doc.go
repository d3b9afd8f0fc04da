// Package audio is the Audio File Server: it checks, encodes, keeps, links, serves and expires voice messages.
//
// # From the telephone to the link
//
// Store.Put takes a WAV file as a telephone switch leaves it. Our own walk over the file decides whether any decoder may
// see it. The key tone at its end and the silence around it are cut off, its loudness is brought to −19 LUFS, and the
// result, the master, is on disk before Put returns. The link it returns is valid at once: MP3 and Ogg Opus are made in
// the background, and a request that comes too early waits for them. Each form is decoded again by another decoder
// before it is offered.
//
// # What is on disk
//
//	2026-11-23/HASH.wav         the master, and one of the three forms
//	2026-11-23/HASH.json        everything that is known about it; while it is there, the recording is
//	2026-11-23/HASH.mp3, .ogg   the other forms
//	owners/TAG/ID_BYTES         an empty mark, so that a user's recordings are found without looking at all
//
// HASH is of the link's token, which is nowhere on disk. There is no database; see Backend for what may stand in for
// the disk. The order is mark, master, description, link: whenever the process is killed, no link points at nothing, and
// what has no description is swept away within an hour.
//
// # Drafts
//
// A draft is a recording without a link: the rest that a hang-up or a crash left. It is kept like a recording, and
// nothing serves it.
package audio
