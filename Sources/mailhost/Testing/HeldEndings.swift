import CLinux
import Glibc
import Linux

/// Signals that would end the process wait while this exists, so that the test's users never stay behind.
final class HeldEndings {
  private var held = sigset_t()
  private var before = sigset_t()
  private var hasCome = false

  init() {
    sigemptyset(&held)
    for signal in [SIGINT, SIGTERM, SIGHUP, SIGQUIT] where !isIgnored(signal) { sigaddset(&held, signal) }
    pthread_sigmask(SIG_BLOCK, &held, &before)
  }

  deinit { pthread_sigmask(SIG_SETMASK, &before, nil) }

  /// Whether one has come. It is taken, and remembered: while one waits, the account database makes no change.
  var haveCome: Bool {
    var now = timespec()
    while sigtimedwait(&held, nil, &now) > 0 { hasCome = true }
    return hasCome
  }
}
