import MailbootCore
import SecretMemory

/// What whoever has the passphrase answers.
public enum PassphraseAnswer: ~Copyable {
  case secret(SecretBytes)
  /// A token in the header is to be used.
  case token
  /// The question was withdrawn because the vault is open now.
  case withdrawn
  /// Ctrl-D, or the terminal is gone.
  case endOfInput
}

/// Where the passphrase comes from.
public protocol PassphraseSource: AnyObject {
  var kind: UnlockSource { get }
  /// Whether somebody else has asked for it, and shows what becomes of it.
  var isHanded: Bool { get }
  /// How many tries it is good for.
  var attempts: Int { get }
  /// Asks. `stillWanted` says whether the answer is needed any more.
  func ask(attempt: Int, stillWanted: () -> Bool) throws(Failure) -> PassphraseAnswer
  /// Asks for that of a further vault, after the first is open.
  /// - Parameter vault: its name.
  /// - Returns: `.endOfInput` from whoever has no further one.
  func askFurther(_ vault: String, attempt: Int, stillWanted: () -> Bool) throws(Failure) -> PassphraseAnswer
  /// The last one was refused, and another try follows.
  func refused(empty: Bool)
}

extension PassphraseSource {
  public var isHanded: Bool { false }
}
