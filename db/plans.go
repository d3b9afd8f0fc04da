package db

/*
typedef struct sqlite3 sqlite3;
typedef struct sqlite3_api_routines sqlite3_api_routines;
int sqlite3_auto_extension(void (*entry)(void));
int sqlite3_db_config(sqlite3 *db, int op, ...);

// 1007 is SQLITE_DBCONFIG_ENABLE_QPSG, the "query planner stability guarantee".
static int keep_plans_of(sqlite3 *db, char **why, const sqlite3_api_routines *api) {
	(void)why; (void)api;
	return sqlite3_db_config(db, 1007, 1, (int *)0);
}
static int keep_plans(void) { return sqlite3_auto_extension((void (*)(void))keep_plans_of); }
*/
import "C"

import (
	"fmt"
	"sync"
)

// keepPlans has SQLite plan each statement once for each connection. By itself it plans many statements anew whenever
// other values are bound, in the hope of a better plan for those values: nearly every query with an ORDER BY, a join or a
// partial index. It never finds one here, and that took more time than running them. It is for connections opened later.
var keepPlans = sync.OnceValue(func() error {
	if code := C.keep_plans(); code != 0 {
		return fmt.Errorf("db: SQLite does not take the setting of its planner: error %d", int(code))
	}
	return nil
})
