package db

/*
#include <stdlib.h>
#if defined(__GLIBC__)
#include <malloc.h>
static void keep_free_memory(int bytes) { mallopt(M_TRIM_THRESHOLD, bytes); }
#else
static void keep_free_memory(int bytes) { (void)bytes; }
#endif
*/
import "C"

import "sync"

// freeKept is how much freed memory the C library keeps for the next call, per thread arena.
const freeKept = 1 << 20

// keepFreeMemory stops glibc from giving back to the system, after each statement, the 90 KiB page cache that SQLite
// makes for every UPDATE … RETURNING: at its own threshold of 128 KiB that took two thirds of the time of an append.
var keepFreeMemory = sync.OnceFunc(func() { C.keep_free_memory(freeKept) })
