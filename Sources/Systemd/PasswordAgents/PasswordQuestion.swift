import CLinux
import Glibc
import Linux
import SecretMemory

/// A question that could not be put, or an answer that could not be taken.
public enum PasswordQuestionError: Error, Equatable, Sendable, CustomStringConvertible {
  /// A system call failed with this `errno`.
  case failed(operation: String, errno: Int32)
  /// The directory's path leaves no room for a socket's name.
  case pathTooLong(String)
  case memory(SecretMemoryError)

  public var description: String {
    switch self {
    case .failed(let operation, let errno): "\(operation): \(errnoText(errno))"
    case .pathTooLong(let path): "\(path): too long for a socket"
    case .memory(let error): error.description
    }
  }
}

/// What an agent sent.
public enum PasswordAnswer: ~Copyable {
  /// The bytes typed, without a NUL at the end, and the process that sent them, such as an agent's on a console.
  case secret(SecretBytes, from: Int32)
  /// The person declined.
  case cancelled(from: Int32)
  /// Something came that does not count; the question stands.
  case refused(PasswordAnswerRefusal)
  /// Nothing is there (yet).
  case none
}

public enum PasswordAnswerRefusal: Equatable, Sendable, CustomStringConvertible {
  /// Sent by this user, who is not root; nil: the kernel named nobody.
  case sender(UInt32?)
  /// Longer than this many bytes.
  case tooLong(limit: Int)
  /// Such as a cursor key that was taken for text.
  case controlCharacters
  /// Not the protocol: neither `+` nor `-`.
  case malformed

  public var description: String {
    switch self {
    case .sender(let user?): "an answer of user \(user), who is not root"
    case .sender(nil): "an answer of nobody knows whom"
    case .tooLong(let limit): "an answer of more than \(limit) bytes"
    case .controlCharacters: "an answer with control characters"
    case .malformed: "a message that is no answer"
    }
  }
}

/// One question to systemd's password agents (console, plymouth, `systemd-tty-ask-password-agent`), as long as this value lives.
///
/// The asker's side of <https://systemd.io/PASSWORD_AGENTS>: a socket for the answer, and a file beside it that agents watch for.
/// Answers in the kernel's keyring are not asked for. An answer comes straight into locked memory.
public final class PasswordQuestion {
  public static let standardDirectory = "/run/systemd/ask-password"
  public static let defaultID = "mailboot:vault"
  /// The most bytes of an answer; agents send at most some 8 KiB.
  public static let answerLimit = 8192

  /// For poll(2): readable when there is something to `receive`.
  public let descriptor: Int32
  private let socketPath: String
  private let questionPath: String
  private let trustedUser: uid_t
  private var stands = true

  /// Puts the question.
  /// - Parameters:
  ///   - message: one line for a person; control characters become spaces.
  ///   - notAfter: when agents stop asking, microseconds of `CLOCK_MONOTONIC`; nil: never.
  ///   - icon: its name in the Icon Naming Specification.
  ///   - id: which question this is, for agents that know it.
  public convenience init(
    message: String, notAfter: UInt64? = nil, icon: String = "drive-harddisk", id: String = defaultID,
    directory: String = standardDirectory
  ) throws(PasswordQuestionError) {
    try self.init(
      message: message, notAfter: notAfter, icon: icon, id: id, directory: directory, trustedUser: 0)
  }

  /// - Parameter trustedUser: whose answers count.
  init(
    message: String, notAfter: UInt64?, icon: String, id: String, directory: String, trustedUser: uid_t
  ) throws(PasswordQuestionError) {
    self.trustedUser = trustedUser
    if mkdir(directory, 0o755) != 0 && errno != EEXIST { throw .failed(operation: directory, errno: errno) }
    let random = hexadecimal(UInt64.random(in: 0 ... .max))
    socketPath = "\(directory)/sck.\(random)"
    questionPath = "\(directory)/ask.\(random)"
    descriptor = try Self.listen(at: socketPath)
    // If this fails, the object, which exists already, takes back the socket.
    try QuestionFile(
      process: getpid(), socket: socketPath, notAfter: notAfter ?? 0, message: message, icon: icon, id: id
    ).write(to: questionPath, temporary: "\(directory)/tmp.\(random)")
  }

  deinit {
    withdraw()
    close(descriptor)
  }

  private static func listen(at path: String) throws(PasswordQuestionError) -> Int32 {
    guard let address = UnixAddress(path) else { throw .pathTooLong(path) }
    let descriptor = mb_unix_datagram_socket()
    guard descriptor >= 0 else { throw .failed(operation: "make a socket", errno: errno) }
    // The mode before bind(2): from then on somebody may connect. Credentials before it too, so that none go unseen.
    guard mb_pass_credentials(descriptor) == 0, fchmod(descriptor, 0o600) == 0,
      address.withPointer({ bind(descriptor, $0, $1) }) == 0
    else {
      let code = errno
      close(descriptor)
      throw .failed(operation: path, errno: code)
    }
    return descriptor
  }

  /// Takes one message from the socket; never waits. After `withdraw` there is none.
  public func receive(limit: Int = answerLimit) throws(PasswordQuestionError) -> PasswordAnswer {
    guard stands else { return .none }
    var secret: SecretBytes
    // One byte more for the NUL at the end, which some agents send.
    do { secret = try SecretBytes(capacity: limit + 1) } catch { throw .memory(error) }
    guard let message = try next(into: &secret) else { return .none }
    guard message.sender.uid == trustedUser else { return .refused(.sender(message.sender.user)) }
    switch message.kind {
    case UInt8(ascii: "-"): return .cancelled(from: message.sender.pid)
    case UInt8(ascii: "+"): break
    default: return .refused(.malformed)
    }
    // Several answers may come, each ended by a NUL: those after the first were cached, and we asked for none.
    let end = secret.withUnsafeBytes { $0.firstIndex(of: 0) }
    guard end ?? secret.count <= limit, end != nil || !message.isTruncated else {
      return .refused(.tooLong(limit: limit))
    }
    secret.removeLast(secret.count - (end ?? secret.count))
    let isClean = secret.withUnsafeBytes { $0.allSatisfy { $0 >= 0x20 && $0 != 0x7F } }
    return isClean ? .secret(secret, from: message.sender.pid) : .refused(.controlCharacters)
  }

  /// A datagram but for the bytes behind its first.
  private struct Message {
    /// The first byte; nil: there was none.
    var kind: UInt8?
    var sender = mb_sender()
    var isTruncated = false
  }

  /// Nil when nothing is there.
  private func next(into secret: inout SecretBytes) throws(PasswordQuestionError) -> Message? {
    var message: Message?
    try secret.appendInPlace { (free) throws(PasswordQuestionError) -> Int in
      var kind: UInt8 = 0
      var sender = mb_sender()
      var truncated: Int32 = 0
      while true {
        let count = mb_receive_from(descriptor, &kind, free.baseAddress, free.count, &sender, &truncated)
        if count >= 0 {
          message = Message(kind: count > 0 ? kind : nil, sender: sender, isTruncated: truncated != 0)
          return max(0, count - 1)
        }
        if errno == EAGAIN { return 0 }
        if errno != EINTR { throw .failed(operation: "receive an answer", errno: errno) }
      }
    }
    return message
  }

  /// Takes the question back: agents that still show it take it away, a late answer reaches nobody.
  public func withdraw() {
    guard stands else { return }
    stands = false
    unlink(questionPath)
    unlink(socketPath)
  }
}

extension mb_sender {
  /// Nil when the kernel named none.
  fileprivate var user: UInt32? { uid == uid_t.max ? nil : uid }
}
