import CLinux
import Glibc

/// What came of a question at the terminal.
public enum Confirmation: Sendable {
  case yes, no
  /// Standard input is no terminal.
  case nobodyThere
  /// There is no `/dev/tty`, although standard input is a terminal.
  case noTerminal
  /// Ctrl-C, or the connection broke.
  case interrupted
}

/// What somebody has typed at the terminal.
public enum TypedAnswer: Equatable, Sendable {
  /// A line, without blanks around it.
  case line(String)
  /// Standard input is no terminal.
  case nobodyThere
  /// There is no `/dev/tty`, although standard input is a terminal.
  case noTerminal
  /// Ctrl-C, or the connection broke.
  case interrupted
}

/// Asks something to be answered with y, at the terminal itself; anything else is no.
public func confirmation(of question: String) -> Confirmation {
  switch typedAnswer(to: question + " [y/N]") {
  case .line(let answer): answer.lowercased().hasPrefix("y") ? .yes : .no
  case .nobodyThere: .nobodyThere
  case .noTerminal: .noTerminal
  case .interrupted: .interrupted
  }
}

/// Asks for a line, at the terminal itself.
public func typedAnswer(to question: String) -> TypedAnswer {
  guard isatty(0) == 1 else { return .nobodyThere }
  let terminal = mb_open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC, 0)
  guard terminal >= 0 else { return .noTerminal }
  defer { close(terminal) }
  let signals = TerminalSignals()
  defer { signals.end() }
  emit(question + " ", to: terminal)
  var entries = [terminal, signals.descriptor].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
  while true {
    if poll(&entries, nfds_t(entries.count), -1) < 0 { continue }
    if entries[1].revents != 0, ![0, SIGTSTP].contains(mb_next_signal(signals.descriptor)) {
      emit("\n", to: terminal)
      return .interrupted
    }
    guard entries[0].revents != 0 else { continue }
    var line = [UInt8](repeating: 0, count: 256)
    let count = line.withUnsafeMutableBytes { read(terminal, $0.baseAddress, $0.count) }
    if count < 0 && errno == EINTR { continue }
    let answer = String(decoding: line[..<max(0, count)], as: UTF8.self)
    return .line(String(answer.drop { $0.isWhitespace }.prefix { !$0.isWhitespace }))
  }
}

/// The signals of a terminal, read from a descriptor for as long as a question stands.
public struct TerminalSignals {
  public let descriptor: Int32
  private let before: sigset_t

  public init() {
    var wanted = sigset_t()
    sigemptyset(&wanted)
    for signal in [SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP] { sigaddset(&wanted, signal) }
    var before = sigset_t()
    sigprocmask(SIG_BLOCK, &wanted, &before)
    self.before = before
    descriptor = mb_signalfd(&wanted)
  }

  public func end() {
    var before = before
    sigprocmask(SIG_SETMASK, &before, nil)
    if descriptor >= 0 { close(descriptor) }
  }
}
