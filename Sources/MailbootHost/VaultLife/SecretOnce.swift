import MailbootCore
import SecretMemory

/// A passphrase that is at hand, for one try.
final class SecretOnce: PassphraseSource {
  let kind = UnlockSource.stdin
  let attempts = 1
  private var secret: SecretBytes?

  init(_ bytes: borrowing SecretBytes) throws(Failure) {
    do {
      var copy = try SecretBytes(capacity: max(1, bytes.count))
      try copy.append(contentsOf: bytes)
      secret = consume copy
    } catch {
      throw .system("\(error)")
    }
  }

  func ask(attempt: Int, stillWanted: () -> Bool) throws(Failure) -> PassphraseAnswer {
    guard let secret = secret.take() else { return .endOfInput }
    return .secret(secret)
  }

  /// Further vaults are not what moves: a person opens them.
  func askFurther(_ vault: String, attempt: Int, stillWanted: () -> Bool) throws(Failure) -> PassphraseAnswer {
    .endOfInput
  }

  func refused(empty: Bool) {}
}
