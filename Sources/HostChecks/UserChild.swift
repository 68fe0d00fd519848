import CLinux
import Glibc

/// A child process that is another user, with nothing of root left: what it can read, that user can.
package enum UserChild {
  /// What `body` returns, run as the user.
  ///
  /// - Parameters:
  ///   - timeLimit: seconds; a hanging file system must not hang whoever asks.
  ///   - body: runs in a copy of this process, which must have one thread: it may open and read files, and start nothing.
  /// - Throws: why the child could not be, or did not come to an end: a clause for one line.
  package static func text(
    as user: UserAccount, within timeLimit: Double, _ body: () -> String
  ) throws(Failure) -> String {
    var ends: [Int32] = [-1, -1]
    guard mb_pipe_cloexec(&ends) == 0 else { throw Failure("cannot make a pipe: \(errorText(errno))") }
    let child = mb_fork()
    guard child >= 0 else {
      let number = errno
      close(ends[0])
      close(ends[1])
      throw Failure("cannot start a process as \(user.name): \(errorText(number))")
    }
    if child == 0 {
      close(ends[0])
      run(body, as: user, output: ends[1])
    }
    close(ends[1])
    defer { close(ends[0]) }
    let output = collect(ends[0], until: Deadline(after: timeLimit))
    if output == nil { kill(child, SIGKILL) }
    let status = reap(child)
    guard let output else { throw Failure("reading as \(user.name) took more than \(secondsText(timeLimit))") }
    let text = String(decoding: output, as: UTF8.self)
    if text.hasPrefix(refusal) {
      throw Failure("cannot become user \(user.name): \(printable(String(text.dropFirst(refusal.count))))")
    }
    guard text.hasPrefix(answer), mb_wifexited(status) != 0, mb_wexitstatus(status) == 0 else {
      let how = mb_wifsignaled(status) != 0 ? "signal \(mb_wtermsig(status))" : "status \(mb_wexitstatus(status))"
      throw Failure("reading as \(user.name) ended early (\(how))")
    }
    return String(text.dropFirst(answer.count))
  }

  package struct Failure: Error {
    package var reason: String

    init(_ reason: String) { self.reason = reason }
  }

  private static let refusal = "refused\t"
  private static let answer = "as asked\t"

  private static func run(_ body: () -> String, as user: UserAccount, output: Int32) -> Never {
    mb_prctl_set_pdeathsig(SIGKILL)
    var text: String
    if let reason = become(user) {
      text = refusal + reason
    } else {
      // A change of user resets this; after it, nobody else of that user can look into our memory.
      mb_prctl_set_dumpable(0)
      text = answer + body()
    }
    text.withUTF8 { bytes in
      var sent = 0
      while sent < bytes.count {
        let count = write(output, bytes.baseAddress! + sent, bytes.count - sent)
        if count < 0, errno == EINTR { continue }
        if count < 0 { _exit(1) }
        sent += count
      }
    }
    // No exit handlers: they belong to the parent.
    _exit(0)
  }

  /// Gives up every identity but the user's. Nil when that is so; else why not.
  private static func become(_ user: UserAccount) -> String? {
    if geteuid() == user.uid, geteuid() != 0 { return nil }
    if initgroups(user.name, user.gid) != 0 { return errorText(errno) }
    // For root both set the real, the effective and the saved number (setuid(2)).
    if setgid(user.gid) != 0 { return errorText(errno) }
    if setuid(user.uid) != 0 { return errorText(errno) }
    if user.uid != 0, setuid(0) == 0 { return "root could be had back" }
    return nil
  }

  /// Everything up to the end; nil when that did not come in time.
  private static func collect(_ descriptor: Int32, until deadline: Deadline) -> [UInt8]? {
    var result: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65536)
    while true {
      var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      let ready = poll(&entry, 1, deadline.pollMilliseconds)
      if ready < 0, errno != EINTR { return nil }
      if ready == 0, deadline.hasPassed { return nil }
      guard ready > 0 else { continue }
      let count = Glibc.read(descriptor, &buffer, buffer.count)
      if count < 0, errno == EINTR { continue }
      if count < 0 { return nil }
      if count == 0 { return result }
      result += buffer.prefix(count)
    }
  }

  private static func reap(_ child: pid_t) -> Int32 {
    var status: Int32 = 0
    while waitpid(child, &status, 0) < 0, errno == EINTR {}
    return status
  }
}
