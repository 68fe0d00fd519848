import CLinux
import Glibc
import Linux

/// Runs `body` while signals wait. A process that ends between the first and the last write of a commit leaves a hot journal: postfix and
/// dovecot, which may only read, cannot undo it, and answer nothing until somebody who may write opens the database. One that is stopped
/// there keeps everybody out.
func holdingSignals<Result: ~Copyable, E: Error>(
  _ body: (borrowing HeldSignals) throws(E) -> Result
) throws(E) -> Result {
  let held = HeldSignals()
  return try body(held)
}

/// Signals wait while it exists.
struct HeldSignals: ~Copyable {
  private let before: sigset_t

  /// Those that people, terminals and systemd end a process with.
  private static let ending = [SIGINT, SIGTERM, SIGHUP, SIGQUIT]
  /// They tell of a mistake of the program itself, and cannot wait.
  private static let own = [SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS]

  fileprivate init() {
    var all = sigset_t()
    sigfillset(&all)
    for signal in Self.own { sigdelset(&all, signal) }
    var before = sigset_t()
    pthread_sigmask(SIG_BLOCK, &all, &before)
    self.before = before
  }

  deinit {
    var before = before
    pthread_sigmask(SIG_SETMASK, &before, nil)
  }

  /// Whether one has come that would end the process.
  var isEnding: Bool {
    var pending = sigset_t()
    sigpending(&pending)
    return Self.ending.contains { sigismember(&pending, $0) == 1 && !isIgnored($0) }
  }

  /// Forgets those that came too late: what they were to stop is done, and is to be said.
  func forget() {
    var ending = sigset_t()
    sigemptyset(&ending)
    for signal in Self.ending { sigaddset(&ending, signal) }
    var now = timespec()
    while sigtimedwait(&ending, nil, &now) > 0 {}
  }
}
