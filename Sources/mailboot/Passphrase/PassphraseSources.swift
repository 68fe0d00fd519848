import CLinux
import Console
import Glibc
import Linux
import MailbootCore
import MailbootHost
import SecretMemory

/// A person at the terminal.
final class TerminalSource: PassphraseSource {
  let kind = UnlockSource.terminal
  let attempts: Int
  private let reactor: Reactor

  init(attempts: Int, reactor: Reactor) {
    self.attempts = attempts
    self.reactor = reactor
  }

  func ask(attempt: Int, stillWanted: () -> Bool) throws(Failure) -> PassphraseAnswer {
    try ask("the vault", attempt: attempt, stillWanted: stillWanted)
  }

  func askFurther(_ vault: String, attempt: Int, stillWanted: () -> Bool) throws(Failure) -> PassphraseAnswer {
    try ask("the vault \(vault)", attempt: attempt, stillWanted: stillWanted)
  }

  private func ask(
    _ vault: String, attempt: Int, stillWanted: () -> Bool
  ) throws(Failure) -> PassphraseAnswer {
    let count = attempts > 1 && attempt > 1 ? " (\(attempt) of \(attempts))" : ""
    let prompt = TerminalPrompt()
    do {
      switch try prompt.ask(
        prompt: "Passphrase of \(vault)\(count): ", signals: reactor.signalDescriptor, stillWanted: stillWanted)
      {
      case .secret(let secret): return .secret(secret)
      case .endOfInput: return .endOfInput
      case .interrupted(let signal): throw Failure.interrupted(signal: signal)
      case .withdrawn:
        tell("\(vault) has been opened by another run")
        return .withdrawn
      }
    } catch let failure as Failure {
      throw failure
    } catch {
      throw .usage("\(error)", hint: "give the passphrase with `--stdin`, `--key-file FILE` or `--passphrase-fd N`")
    }
  }

  func refused(empty: Bool) { tell(empty ? "that was empty, try again" : "not accepted, try again") }
}

/// A descriptor or file that is read once, to its end.
final class SecretSource: PassphraseSource {
  enum Origin {
    /// `--stdin`, with or without the newline at the end.
    case standardInput(raw: Bool)
    case descriptor(Int32)
    case keyFile(String)
  }

  let attempts = 1
  private let origin: Origin
  private let reactor: Reactor
  private var isRead = false

  init(_ origin: Origin, reactor: Reactor) {
    self.origin = origin
    self.reactor = reactor
  }

  var kind: UnlockSource {
    switch origin {
    case .standardInput: .stdin
    case .descriptor: .stdin
    case .keyFile: .keyFile
    }
  }

  /// The most bytes a passphrase may have, as cryptsetup's interactive ones.
  private static let passphraseLimit = 8192
  private static let keyFileLimit = 8 << 20

  /// What was read for the first vault was tried on all.
  func askFurther(_ vault: String, attempt: Int, stillWanted: () -> Bool) throws(Failure) -> PassphraseAnswer {
    isRead ? .endOfInput : try ask(attempt: attempt, stillWanted: stillWanted)
  }

  func ask(attempt: Int, stillWanted: () -> Bool) throws(Failure) -> PassphraseAnswer {
    isRead = true
    switch origin {
    case .standardInput(let raw):
      return .secret(try read(0, limit: Self.passphraseLimit, dropNewline: !raw, "--stdin"))
    case .descriptor(let number):
      return .secret(
        try read(number, limit: Self.passphraseLimit, dropNewline: false, "--passphrase-fd \(number)"))
    case .keyFile(let path): return .secret(try readFile(path))
    }
  }

  func refused(empty: Bool) {}

  private func readFile(_ path: String) throws(Failure) -> SecretBytes {
    // Not blocking, so that a FIFO cannot hang us before we see that it is none of what we take.
    let descriptor = mb_open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0)
    guard descriptor >= 0 else {
      throw .usage(
        "the key file \(path) cannot be read: \(errnoText())",
        hint: "correct the path, or run `mailboot` and type the passphrase")
    }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, mb_s_isreg(status.st_mode) != 0 else {
      throw .usage(
        "the key file \(path) is not a regular file", hint: "give what comes out of a pipe with `--stdin --raw`")
    }
    if status.st_mode & 0o077 != 0 {
      tell("warning: others may read the key file \(path): `chmod 600 \(path)`")
    }
    return try read(descriptor, limit: Self.keyFileLimit, dropNewline: false, "the key file \(path)")
  }

  private func read(_ descriptor: Int32, limit: Int, dropNewline: Bool, _ what: String) throws(Failure)
    -> SecretBytes
  {
    do {
      return try readSecret(
        from: descriptor, limit: limit, dropTrailingNewline: dropNewline, signals: reactor.signalDescriptor)
    } catch .interrupted(let signal) {
      throw .interrupted(signal: signal)
    } catch {
      throw .usage("\(what): \(error)", hint: nil)
    }
  }
}
