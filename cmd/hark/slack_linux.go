package main

// Go's runtime has a thread that, while the program is doing anything, looks every 20 µs whether a goroutine has run or
// waited for the system too long. Calls make a thousand short pieces of work each second, and that thread took a fifth of
// the CPU time of a login call. Linux may be told to be late with such sleeps, so that it wakes up once for each piece; it
// must be told before the runtime starts, which slack_linux.c does. Nothing that Hark times needs half a millisecond.

import "C"
