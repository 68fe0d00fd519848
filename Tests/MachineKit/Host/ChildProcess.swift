import Foundation
import Synchronization

/// A child process that is ours to kill, with the descriptors it is given and no others.
final class ChildProcess: Sendable {
  /// What the child gets of ours. The descriptors are handed over: closed on our side once the child has them, so that
  /// their other ends see when it is gone.
  struct Setup: Sendable {
    /// The program, looked up in `PATH`, and its arguments.
    var command: [String]
    /// Becomes 0; `/dev/null` when `nil`.
    var input: Descriptor?
    /// Becomes 1 and 2.
    var output: Descriptor
    /// Become 3, 4 and so on.
    var others: [Descriptor] = []
    /// In a process group of its own, so that Ctrl-C at our terminal does not reach it.
    var inOwnGroup = false
  }

  let pid: pid_t
  private let ending: Ending

  /// - Throws: ``MachineError`` when the program cannot be started.
  init(_ setup: Setup) throws {
    let ending = Ending()
    let started = Started()
    // A parent-death signal comes when the *thread* that started the child ends. This one lives as long as the child.
    Thread.detachNewThread {
      let result = Result { try Self.spawn(setup) }
      if case .success(let pid) = result { ending.pid.withLock { $0 = pid } }
      started.deliver(result)
      if case .success(let pid) = result { ending.await(pid) }
    }
    let result = started.receive()
    for descriptor in [setup.input, setup.output] + setup.others { descriptor?.close() }
    pid = try result.get()
    self.ending = ending
  }

  /// `nil` while it runs; otherwise the exit status, or 128 + the signal that ended it.
  var status: Int32? { ending.status.withLock { $0 } }

  /// Sends a signal, if it still runs.
  func signal(_ signal: Int32) {
    ending.pid.withLock { pid in
      if let pid { _ = kill(pid, signal) }
    }
  }

  /// Waits for its end.
  /// - Returns: its ``status``, or `nil` when the deadline passed first.
  func wait(until deadline: Deadline) -> Int32? {
    while true {
      if let status { return status }
      if deadline.hasPassed { return nil }
      deadline.pause(.milliseconds(5))
    }
  }

  private static func spawn(_ setup: Setup) throws -> pid_t {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    let input = try setup.input ?? Descriptor(path: "/dev/null", flags: O_RDONLY)
    let wanted = [input, setup.output, setup.output] + setup.others
    // First out of the way of the numbers to be filled, then into place.
    let parked = try wanted.map { descriptor in
      let copy = fcntl(descriptor.number, F_DUPFD_CLOEXEC, 64)
      guard copy >= 0 else { throw MachineError.system("fcntl", code: errno) }
      return Descriptor(copy)
    }
    for (number, descriptor) in parked.enumerated() {
      posix_spawn_file_actions_adddup2(&actions, descriptor.number, Int32(number))
    }

    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var none = sigset_t()
    sigemptyset(&none)
    posix_spawnattr_setsigmask(&attributes, &none)
    var flags = Int16(POSIX_SPAWN_SETSIGMASK)
    if setup.inOwnGroup { flags |= Int16(POSIX_SPAWN_SETPGROUP) }
    posix_spawnattr_setflags(&attributes, flags)

    var arguments = setup.command.map { strdup($0) } + [nil]
    defer { for argument in arguments { free(argument) } }
    var pid: pid_t = 0
    let code = posix_spawnp(&pid, setup.command[0], &actions, &attributes, &arguments, Glibc.environ)
    guard code == 0 else { throw MachineError.system("start \(setup.command[0])", code: code) }
    return pid
  }
}

/// How a child ended, written by the thread that waits for it.
private final class Ending: Sendable {
  let pid = Mutex<pid_t?>(nil)
  let status = Mutex<Int32?>(nil)

  func await(_ child: pid_t) {
    var info = siginfo_t()
    // Without reaping: the number stays ours until nobody can signal it any more.
    while waitid(P_PID, id_t(child), &info, WEXITED | WNOWAIT) != 0 && errno == EINTR {}
    var code: Int32 = 0
    pid.withLock { pid in
      waitpid(child, &code, 0)
      pid = nil
    }
    // WIFEXITED and its like are macros that Swift does not see; the layout is Linux's.
    let signal = code & 0x7F
    let result = signal == 0 ? (code >> 8) & 0xFF : 128 + signal
    status.withLock { $0 = result }
  }
}

/// Hands the outcome of starting from one thread to another, once.
private final class Started: Sendable {
  private let semaphore = DispatchSemaphore(value: 0)
  private let result = Mutex<Result<pid_t, any Error>?>(nil)

  func deliver(_ value: Result<pid_t, any Error>) {
    result.withLock { $0 = value }
    semaphore.signal()
  }

  func receive() -> Result<pid_t, any Error> {
    semaphore.wait()
    return result.withLock { $0 } ?? .failure(MachineError(.host, "the starting thread gave no answer"))
  }
}
