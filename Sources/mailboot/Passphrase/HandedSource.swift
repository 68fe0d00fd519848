import Glibc
import MailbootCore
import MailbootHost
import SecretMemory

/// A passphrase that somebody else has handed over: one try, and no longer than a few seconds until it is here.
final class HandedSource: PassphraseSource {
  enum Origin {
    case standardInput
    case token
    case device(String, file: String)
  }

  let kind: UnlockSource
  let attempts = 1
  let isHanded = true
  private let origin: Origin
  private let reactor: Reactor
  /// Whether it may be as long as a key file.
  private let isLong: Bool
  private var isUsed = false

  /// Whoever passes a descriptor has the passphrase at hand.
  private static let patience = 10
  private static let passphraseLimit = 8192
  private static let keyFileLimit = 8 << 20

  init(_ kind: UnlockSource, isLong: Bool, reactor: Reactor, origin: Origin) {
    self.kind = kind
    self.isLong = isLong
    self.reactor = reactor
    self.origin = origin
  }

  func ask(attempt: Int, stillWanted: () -> Bool) throws(Failure) -> PassphraseAnswer {
    isUsed = true
    switch origin {
    case .token: return .token
    case .standardInput: return .secret(try read(0))
    case .device(let device, let file):
      return .secret(
        try KeyDevice(device: device, file: file).withFile(reactor) { (descriptor) throws(Failure) in
          try read(descriptor)
        })
    }
  }

  func askFurther(_ vault: String, attempt: Int, stillWanted: () -> Bool) throws(Failure) -> PassphraseAnswer {
    isUsed ? .endOfInput : try ask(attempt: attempt, stillWanted: stillWanted)
  }

  func refused(empty: Bool) {}

  private func read(_ descriptor: Int32) throws(Failure) -> SecretBytes {
    // A file may lie in a file system that never answers, and whoever reads there cannot even look at the time: then this process ends.
    // It has changed nothing yet.
    alarm(UInt32(Self.patience + 5))
    defer { alarm(0) }
    do {
      return try readSecret(
        from: descriptor, limit: isLong ? Self.keyFileLimit : Self.passphraseLimit,
        dropTrailingNewline: false, deadline: .now + .seconds(Self.patience), signals: reactor.signalDescriptor)
    } catch .interrupted(let signal) {
      throw .interrupted(signal: signal)
    } catch {
      throw .usage("\(error)", hint: nil)
    }
  }
}
