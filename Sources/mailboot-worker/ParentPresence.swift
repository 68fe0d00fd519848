import CLinux
import Glibc
import Linux
import Synchronization

/// Ends this process when its parent ends, up to the moment when it has begun to change device-mapper.
///
/// A derivation nobody waits for any more only costs memory, and its vault should stay closed: then the process just ends.
/// Making or removing a mapping is a few ioctls and a udev cookie; killed between them it would leave a mapping without a
/// table, or a semaphore for ever. So from `commit` on the work is finished whatever becomes of the parent, and the signals
/// of the terminal stay blocked; the next run finds the mapping and goes on from there.
///
/// Not `PR_SET_PDEATHSIG`: it follows the thread that started us, not the process, and cannot be withdrawn atomically.
final class ParentPresence: Sendable {
  private let parent: Int32
  private let committed = Mutex(false)

  /// Starts the watch; the parent is whoever it is now.
  init() throws(WorkerFailure) {
    let process = getppid()
    parent = mb_pidfd_open(process)
    try require(parent, "pidfd_open")
    // Between the two calls the parent may have ended and its number been given away.
    guard getppid() == process else {
      throw WorkerFailure(status: WorkerExit.failure, text: "the parent has ended")
    }
    try startThread()
  }

  /// From now on the work is finished in any case; does not return when the parent has ended already.
  func commit() {
    var signals = sigset_t()
    sigemptyset(&signals)
    for number in endingSignals { sigaddset(&signals, number) }
    sigprocmask(SIG_BLOCK, &signals, nil)
    committed.withLock {
      if parentHasEnded(timeout: 0) { _exit(WorkerExit.failure) }
      $0 = true
    }
  }

  /// Whether long work is to stop at the next safe point: the parent is gone, or one of the signals that `commit` blocks has come.
  var isToStop: Bool {
    if parentHasEnded(timeout: 0) { return true }
    var pending = sigset_t()
    sigemptyset(&pending)
    sigpending(&pending)
    return endingSignals.contains { $0 != SIGTSTP && sigismember(&pending, $0) == 1 }
  }

  private func startThread() throws(WorkerFailure) {
    // The thread must not be the one that takes a signal which `commit` blocks in the main thread.
    var all = sigset_t()
    var before = sigset_t()
    sigfillset(&all)
    pthread_sigmask(SIG_SETMASK, &all, &before)
    defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
    var thread = pthread_t()
    let context = Unmanaged.passRetained(self).toOpaque()
    let code = pthread_create(
      &thread, nil,
      { context in
        Unmanaged<ParentPresence>.fromOpaque(context!).takeRetainedValue().watch()
        return nil
      }, context)
    guard code == 0 else {
      throw WorkerFailure(status: WorkerExit.failure, text: "pthread_create: \(errnoText(code))")
    }
  }

  private func watch() {
    guard parentHasEnded(timeout: -1) else { return }
    // Ending with the lock held: either the main thread has committed, or it never will.
    committed.withLock { if !$0 { _exit(WorkerExit.failure) } }
  }

  private func parentHasEnded(timeout: Int32) -> Bool {
    var entry = pollfd(fd: parent, events: Int16(POLLIN), revents: 0)
    while true {
      let ready = poll(&entry, 1, timeout)
      if ready >= 0 || errno != EINTR { return ready > 0 }
    }
  }
}
