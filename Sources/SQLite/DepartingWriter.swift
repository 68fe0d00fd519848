import CSQLite
import Glibc

/// Runs a call of SQLite again while it takes a writer that is just ending for one that has died.
///
/// A reader that finds a journal looks next whether somebody holds a lock for it. If the writer commits in between, which removes the
/// journal and the lock, SQLite takes the journal that it cannot open for one that must be rolled back (`hasHotJournal` in its pager.c),
/// and a connection that may not write fails. A journal that is really left over is still there after this.
func lookingTwice(_ call: () -> Int32, before retry: () -> Void = {}) -> Int32 {
  var code = call()
  for _ in 0..<10 where code == mb_sqlite_readonly_rollback() {
    retry()
    usleep(5000)
    code = call()
  }
  return code
}
