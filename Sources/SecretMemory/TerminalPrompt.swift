import CLinux
import Glibc
import Linux

/// Why a passphrase could not be asked for.
public enum TerminalError: Error, Equatable, Sendable, CustomStringConvertible {
  /// There is no controlling terminal, or it cannot be opened; with the errno.
  case noTerminal(Int32)
  /// The system call failed with this errno.
  case failed(String, Int32)
  /// More than this many bytes were typed.
  case tooLong(limit: Int)
  case memory(SecretMemoryError)

  public var description: String {
    switch self {
    case .noTerminal(let code): "there is no terminal to ask at: \(errnoText(code))"
    case .failed(let call, let code): "cannot ask at the terminal: \(call): \(errnoText(code))"
    case .tooLong(let limit): "the passphrase is longer than \(limit) bytes"
    case .memory(let error): error.description
    }
  }
}

/// Asks for a passphrase at a terminal, without echo.
///
/// Backspace takes away a whole UTF-8 character, Ctrl-U everything, Enter submits; Ctrl-D submits too, or ends the input when
/// nothing was typed. Every other byte belongs to the passphrase. The terminal is restored on every way out.
public struct TerminalPrompt: Sendable {
  /// How a question ended.
  public enum Answer: ~Copyable {
    /// What was typed, possibly nothing.
    case secret(SecretBytes)
    /// Ctrl-D with nothing typed, or the terminal has hung up.
    case endOfInput
    /// SIGINT, SIGTERM, SIGHUP or SIGQUIT arrived.
    case interrupted(Int32)
    /// `stillWanted` said no.
    case withdrawn
  }

  /// The most bytes that can be typed.
  public static let limit = 8192

  private let path: String

  public init(path: String = "/dev/tty") {
    self.path = path
  }

  /// Gives a terminal its attributes back if a question left it without: for the way out of the program that comes from
  /// somewhere else, such as `exit` in another thread.
  public static func restoreIfNeeded() {
    TerminalMode.restore()
  }

  /// Prints `prompt` and reads one line; the answer is followed by a newline.
  ///
  /// - Parameters:
  ///   - signals: a signalfd of the caller for SIGINT, SIGTERM, SIGHUP, SIGQUIT and SIGTSTP, which the caller has
  ///     blocked. Other signals that arrive on it are dropped. Nil: signals act as they are set, and may leave the terminal
  ///     without echo.
  ///   - stillWanted: asked every half second.
  public func ask(
    prompt: String, signals: Int32? = nil, stillWanted: () -> Bool = { true }
  ) throws(TerminalError) -> Answer {
    let terminal = mb_open(path, O_RDWR | O_NOCTTY | O_CLOEXEC, 0)
    guard terminal >= 0 else { throw .noTerminal(errno) }
    defer { close(terminal) }
    let question = Question(terminal: terminal, signals: signals, prompt: prompt)
    let editing = try TerminalMode.hideInput(on: terminal)
    defer { TerminalMode.restore() }
    try question.show()
    let answer = try question.read(editing, stillWanted)
    // After a hang-up nobody sees the newline.
    question.endLine()
    return answer
  }
}

/// A question that has been put to an open terminal.
private struct Question {
  let terminal: Int32
  let signals: Int32?
  let prompt: String

  private static let interval: Duration = .milliseconds(500)

  func show() throws(TerminalError) {
    let bytes = Array(prompt.utf8)
    var done = 0
    while done < bytes.count {
      let count = bytes[done...].withUnsafeBytes { Glibc.write(terminal, $0.baseAddress, $0.count) }
      if count >= 0 {
        done += count
      } else if errno != EINTR {
        throw .failed("write", errno)
      }
    }
  }

  /// The terminal makes CR LF of it, if it is set to.
  func endLine() {
    _ = Glibc.write(terminal, "\n", 1)
  }

  func read(
    _ editing: PassphraseLine.EditingBytes, _ stillWanted: () -> Bool
  ) throws(TerminalError) -> TerminalPrompt.Answer {
    var line: PassphraseLine
    do {
      line = try PassphraseLine(limit: TerminalPrompt.limit, editing: editing)
    } catch {
      throw .memory(error)
    }
    var nextLook = MonotonicInstant.now + Self.interval
    while true {
      let ready = try wait(until: nextLook)
      if let signals, ready.signal, let number = try nextSignal(signals) {
        if number != SIGTSTP { return .interrupted(number) }
        try stop()
        line.clear()
      }
      if ready.terminal {
        switch try line.take(readByte) {
        case .typing: break
        case .submitted: return .secret(line.finish())
        case .endOfInput, nil: return .endOfInput
        case .full:
          // The rest of a paste must not reach the shell.
          tcflush(terminal, TCIFLUSH)
          endLine()
          throw .tooLong(limit: TerminalPrompt.limit)
        }
      }
      if MonotonicInstant.now >= nextLook {
        guard stillWanted() else { return .withdrawn }
        nextLook = MonotonicInstant.now + Self.interval
      }
    }
  }

  private func wait(until end: MonotonicInstant) throws(TerminalError) -> (terminal: Bool, signal: Bool) {
    var entries = [pollfd(fd: terminal, events: Int16(POLLIN), revents: 0)]
    if let signals { entries.append(pollfd(fd: signals, events: Int16(POLLIN), revents: 0)) }
    let left = max(0, MonotonicInstant.now.duration(to: end) / .milliseconds(1))
    let count = poll(&entries, nfds_t(entries.count), Int32(left.rounded(.up)))
    guard count >= 0 || errno == EINTR else { throw .failed("poll", errno) }
    guard count > 0 else { return (false, false) }
    // A hang-up shows as POLLHUP; reading then says so.
    return (entries[0].revents != 0, entries.count > 1 && entries[1].revents != 0)
  }

  /// One byte into `space`; 0 when the terminal has hung up.
  private func readByte(_ space: UnsafeMutableRawBufferPointer) throws(TerminalError) -> Int {
    while true {
      let count = Glibc.read(terminal, space.baseAddress, 1)
      if count >= 0 { return count }
      switch errno {
      case EINTR: continue
      case EIO: return 0
      default: throw .failed("read", errno)
      }
    }
  }

  /// The next signal that concerns the question; nil for another one.
  private func nextSignal(_ signals: Int32) throws(TerminalError) -> Int32? {
    var information = signalfd_siginfo()
    let size = MemoryLayout<signalfd_siginfo>.size
    let count = Glibc.read(signals, &information, size)
    guard count == size else {
      if count < 0 && (errno == EINTR || errno == EAGAIN) { return nil }
      throw .failed("read of signalfd", errno)
    }
    let number = Int32(information.ssi_signo)
    return [SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP].contains(number) ? number : nil
  }

  /// As the terminal would have it. Where nobody could continue it, because it is the first process of its session, the kernel passes over
  /// this signal; SIGSTOP it would not, and a console whose login shell we are would be lost.
  private static func stopThisProcess() {
    var stop = sigset_t()
    var before = sigset_t()
    sigemptyset(&stop)
    sigaddset(&stop, SIGTSTP)
    let handler = signal(SIGTSTP, SIG_DFL)
    raise(SIGTSTP)
    // It strikes here, in this thread.
    pthread_sigmask(SIG_UNBLOCK, &stop, &before)
    pthread_sigmask(SIG_SETMASK, &before, nil)
    signal(SIGTSTP, handler)
  }

  /// Stops the process with the terminal as it was, and asks anew when it is continued.
  private func stop() throws(TerminalError) {
    endLine()
    TerminalMode.restore()
    Self.stopThisProcess()
    _ = try TerminalMode.hideInput(on: terminal)
    try show()
  }
}
