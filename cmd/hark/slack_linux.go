package main

// Go's runtime has a thread that, while the program is doing anything, looks every 20 µs whether a goroutine has run or
// waited for the system too long. Calls make a thousand short pieces of work each second, and that thread took a fifth of
// the CPU time of a login call (runtime.sysmon in a profile). Linux may be told to be late with such sleeps, so that it
// wakes up half as often, which saves an eighth of the call; it must be told before the runtime starts, which
// slack_linux.c does. Nothing that Hark times needs to be right to half a millisecond.

import "C"
