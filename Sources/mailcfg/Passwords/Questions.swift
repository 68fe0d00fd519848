import CLinux
import Console
import Glibc
import MailAccounts
import MailbootCore
import SecretMemory
import Text

/// Asks for a new password until both answers are the same, three times at most.
func askTwice(_ email: String) throws(Failure) -> SecretBytes {
  for _ in 0..<3 {
    let first = try ask("New password for \(visibleInLine(email)): ")
    do {
      try requireUsable(first)
    } catch {
      tell(visible(error.description))
      continue
    }
    let second = try ask("Once more: ")
    if first.withUnsafeBytes({ one in second.withUnsafeBytes { isEqualInConstantTime(one, $0) } }) { return first }
    tell("these were different")
  }
  throw .failed("no password after three tries", hint: nil)
}

/// Asks for a password once.
func ask(_ question: String) throws(Failure) -> SecretBytes {
  let signals = Signals()
  defer { signals.end() }
  do {
    switch try TerminalPrompt().ask(prompt: question, signals: signals.descriptor) {
    case .secret(let secret): return secret
    case .endOfInput: throw Failure.failed("no password was given", hint: nil)
    case .interrupted: throw Failure.interrupted
    case .withdrawn: throw Failure.failed("no password was given", hint: nil)
    }
  } catch let failure as Failure {
    throw failure
  } catch {
    throw .usage("\(error)", hint: "use --stdin or --generate")
  }
}

/// Asks something to be answered with y; anything else is no. Nil: there is nobody to ask.
func confirm(_ question: String) throws(Failure) -> Bool? {
  guard isatty(0) == 1 else { return nil }
  let terminal = mb_open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC, 0)
  guard terminal >= 0 else { throw .usage("there is no /dev/tty to ask at", hint: "`--yes` says it beforehand") }
  defer { close(terminal) }
  let signals = Signals()
  defer { signals.end() }
  emit(question + " [y/N] ", to: terminal)
  var entries = [terminal, signals.descriptor].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
  while true {
    if poll(&entries, nfds_t(entries.count), -1) < 0 { continue }
    if entries[1].revents != 0, ![0, SIGTSTP].contains(mb_next_signal(signals.descriptor)) {
      emit("\n", to: terminal)
      throw .interrupted
    }
    guard entries[0].revents != 0 else { continue }
    var line = [UInt8](repeating: 0, count: 256)
    let count = line.withUnsafeMutableBytes { read(terminal, $0.baseAddress, $0.count) }
    if count < 0 && errno == EINTR { continue }
    let answer = String(decoding: line[..<max(0, count)], as: UTF8.self).lowercased()
    return answer.hasPrefix("y")
  }
}

/// The signals of a terminal, read from a descriptor for as long as a question stands.
private struct Signals {
  let descriptor: Int32
  private let before: sigset_t

  init() {
    var wanted = sigset_t()
    sigemptyset(&wanted)
    for signal in [SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP] { sigaddset(&wanted, signal) }
    var before = sigset_t()
    sigprocmask(SIG_BLOCK, &wanted, &before)
    self.before = before
    descriptor = mb_signalfd(&wanted)
  }

  func end() {
    var before = before
    sigprocmask(SIG_SETMASK, &before, nil)
    if descriptor >= 0 { close(descriptor) }
  }
}
