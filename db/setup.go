package db

/*
#include <time.h>

// What is used of sqlite3.h, which the driver keeps to itself.
typedef struct sqlite3 sqlite3;
typedef struct sqlite3_context sqlite3_context;
typedef struct sqlite3_value sqlite3_value;
typedef void function(sqlite3_context *, int, sqlite3_value **);
int sqlite3_auto_extension(void (*)(void));
int sqlite3_create_function(sqlite3 *, const char *, int, int, void *, function *, function *, void (*)(sqlite3_context *));
int sqlite3_db_config(sqlite3 *, int, ...);
void sqlite3_result_int64(sqlite3_context *, long long);

enum { no_arguments = 0, utf8 = 1, deterministic = 0x800, planner_stability = 1007, on = 1 };

static void hark_now(sqlite3_context *context, int count, sqlite3_value **arguments) {
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	sqlite3_result_int64(context, now.tv_sec * 1000LL + now.tv_nsec / 1000000);
}

static int set_up(sqlite3 *db, char **error, const void *api) {
	int code = sqlite3_db_config(db, planner_stability, on, (int *)0);
	if (code)
		return code;
	return sqlite3_create_function(db, "hark_now", no_arguments, utf8 | deterministic, 0, hark_now, 0, 0);
}

static int set_up_connections(void) { return sqlite3_auto_extension((void (*)(void))set_up); }
*/
import "C"

import (
	"fmt"
	"sync"
)

// setUpConnections has every SQLite connection that this process opens from now on
//
//   - know the system's clock as hark_now(), one time for a whole statement. It is in C because calling Go from SQLite takes
//     1 to 2 µs, a quarter of what the statement takes that the storing of each message begins with.
//   - plan each statement once. By itself SQLite plans many statements anew whenever other values are bound, nearly every one
//     with an ORDER BY, a join or a partial index, in the hope of a better plan for those values. It never finds one here, and
//     that took more time than running them.
var setUpConnections = sync.OnceValue(func() error {
	if code := C.set_up_connections(); code != 0 {
		return fmt.Errorf("db: SQLite does not let its connections be set up (code %d)", int(code))
	}
	return nil
})
