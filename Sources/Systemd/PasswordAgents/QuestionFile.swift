import CLinux
import Glibc
import Linux

/// The file that tells password agents of a question.
struct QuestionFile: Equatable {
  var process: Int32
  var socket: String
  /// Microseconds of `CLOCK_MONOTONIC`; 0: no end.
  var notAfter: UInt64
  var message: String
  var icon: String
  var id: String

  var text: String {
    """
    [Ask]
    PID=\(process)
    Socket=\(socket)
    AcceptCached=0
    Echo=0
    NotAfter=\(notAfter)
    Message=\(Self.line(message))
    Icon=\(Self.line(icon))
    Id=\(Self.line(id))

    """
  }

  /// As a value of the file may be: one line; no backslash at its end, which would join the next line.
  private static func line(_ text: String) -> String {
    let scalars = text.unicodeScalars.map { $0.properties.generalCategory == .control ? " " : $0 }
    var line = String(String.UnicodeScalarView(scalars))
    while line.last == "\\" { line.removeLast() }
    return line
  }

  /// In one step, as agents read a file as soon as it appears.
  func write(to path: String, temporary: String) throws(PasswordQuestionError) {
    do {
      try replaceFile(path, with: Array(text.utf8), temporary: temporary)
    } catch {
      throw .failed(operation: path, errno: error.code)
    }
  }

  /// The `Id` of a question's file; nil when it has none.
  static func id(in text: String) -> Substring? {
    text.split(separator: "\n").last { $0.hasPrefix("Id=") }?.dropFirst(3)
  }
}

extension PasswordQuestion {
  /// Withdraws what an earlier process of ours has left when it was killed. Questions of others, and one that somebody still
  /// listens to, stay.
  /// - Returns: how many it were.
  @discardableResult
  public static func withdrawAbandoned(id: String = defaultID, directory: String = standardDirectory) -> Int {
    let abandoned = randomParts(in: directory).filter { random in
      smallText("\(directory)/ask.\(random)").flatMap(QuestionFile.id(in:)) == id[...]
        && !isListenedTo("\(directory)/sck.\(random)")
    }
    for random in abandoned {
      unlink("\(directory)/ask.\(random)")
      unlink("\(directory)/sck.\(random)")
    }
    return abandoned.count
  }

  /// What stands behind `ask.` in the names of the directory's questions.
  private static func randomParts(in directory: String) -> [String] {
    (listDirectory(directory) ?? []).filter { $0.hasPrefix("ask.") }.map { String($0.dropFirst(4)) }
  }

  /// The process that `PID=` names may have died and its number be another's by now: the socket itself tells.
  private static func isListenedTo(_ path: String) -> Bool {
    guard let address = UnixAddress(path) else { return true }
    let descriptor = mb_unix_datagram_socket()
    guard descriptor >= 0 else { return true }
    defer { close(descriptor) }
    return address.withPointer({ connect(descriptor, $0, $1) }) == 0 || (errno != ECONNREFUSED && errno != ENOENT)
  }

  private static func smallText(_ path: String) -> String? {
    let descriptor = mb_open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: 4096)
    let count = bytes.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
    return count < 0 ? nil : String(decoding: bytes[..<count], as: UTF8.self)
  }
}

/// Sixteen lower-case digits.
func hexadecimal(_ number: UInt64) -> String {
  let digits = String(number, radix: 16)
  return String(repeating: "0", count: 16 - digits.count) + digits
}
