#pragma once
#include <sqlite3.h>

// Swift does not import macros with casts or shifts in terms of other macros.
static inline int mb_sqlite_readonly_rollback(void) { return SQLITE_READONLY_ROLLBACK; }
static inline int mb_sqlite_ioerr_lock(void) { return SQLITE_IOERR_LOCK; }
