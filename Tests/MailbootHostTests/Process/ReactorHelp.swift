import Glibc
import MailbootHost

/// Runs on a reactor, as the program's main thread does, and gives the thread its signal mask back.
///
/// Signals for it must be sent to this very thread (`pthread_kill`): to the process they would end the test run.
func withReactor<Result>(_ body: (Reactor) throws -> Result) throws -> Result {
  var before = sigset_t()
  pthread_sigmask(SIG_SETMASK, nil, &before)
  defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
  return try body(try Reactor())
}

func sendSignalToThisThread(_ signal: Int32) { pthread_kill(pthread_self(), signal) }

/// Whether a process of that number is there, a zombie included.
func processExists(_ pid: pid_t) -> Bool { kill(pid, 0) == 0 || errno == EPERM }
