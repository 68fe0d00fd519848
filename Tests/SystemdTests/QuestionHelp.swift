import CLinux
import Foundation
import SecretMemory
import TestSupport
import Testing

@testable import Systemd

/// A directory for questions, with what is needed to play an agent's part.
final class QuestionDirectory {
  private let directory: TemporaryDirectory
  var path: String { directory.path }

  init() throws { directory = try TemporaryDirectory() }

  func ask(_ message: String = "Passphrase", notAfter: UInt64? = nil, id: String = PasswordQuestion.defaultID) throws
    -> PasswordQuestion
  {
    try PasswordQuestion(
      message: message, notAfter: notAfter, icon: "drive-harddisk", id: id, directory: path, trustedUser: getuid())
  }

  func names() throws -> [String] { try directory.names() }

  func only(_ prefix: String) throws -> String {
    let found = try names().filter { $0.hasPrefix(prefix) }
    #expect(found.count == 1)
    return path + "/" + (found.first ?? "")
  }

  func mode(_ path: String) throws -> UInt16 {
    let attributes = try FileManager.default.attributesOfItem(atPath: path)
    return try #require(attributes[.posixPermissions] as? NSNumber).uint16Value
  }

  /// The question's fields, as an agent reads them.
  func question() throws -> [String: String] {
    let text = try String(contentsOfFile: only("ask."), encoding: .utf8)
    let lines = text.split(separator: "\n")
    #expect(lines.first == "[Ask]")
    return Dictionary(
      uniqueKeysWithValues: lines.dropFirst().map { line in
        let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        return (String(parts[0]), String(parts[1]))
      })
  }

  /// One datagram to the question's socket; the errno, or 0.
  func send(_ bytes: [UInt8]) throws -> Int32 { try sendDatagram(bytes, to: #require(question()["Socket"])) }
}

func sendDatagram(_ bytes: [UInt8], to path: String) throws -> Int32 {
  let address = try #require(UnixAddress(path))
  let descriptor = mb_unix_datagram_socket()
  defer { close(descriptor) }
  let sent = address.withPointer { sendto(descriptor, bytes, bytes.count, 0, $0, $1) }
  return sent == bytes.count ? 0 : errno
}

/// The same from a child that has become another user; its exit code is the errno.
func sendDatagram(_ bytes: [UInt8], to path: String, asUser user: uid_t) throws -> Int32 {
  let address = try #require(UnixAddress(path))
  let descriptor = mb_unix_datagram_socket()
  defer { close(descriptor) }
  let child = bytes.withUnsafeBytes { bytes in
    address.withPointer { address, length in
      let child = mb_fork()
      // Nothing in the child but system calls: this process has threads.
      if child == 0 {
        guard setuid(user) == 0 else { _exit(126) }
        _exit(sendto(descriptor, bytes.baseAddress, bytes.count, 0, address, length) == bytes.count ? 0 : errno)
      }
      return child
    }
  }
  try #require(child > 0)
  var status: Int32 = 0
  #expect(waitpid(child, &status, 0) == child)
  return mb_wexitstatus(status)
}

/// An answer that tests can compare; these secrets are none.
enum PlainAnswer: Equatable {
  case secret([UInt8])
  case cancelled
  case refused(PasswordAnswerRefusal)
  case none
}

extension PasswordQuestion {
  func plainAnswer(limit: Int = answerLimit) throws -> PlainAnswer {
    switch try receive(limit: limit) {
    case .secret(let secret, let process):
      #expect(process > 0)
      return .secret(secret.withUnsafeBytes { Array($0) })
    case .cancelled: return .cancelled
    case .refused(let why): return .refused(why)
    case .none: return .none
    }
  }

  /// Whether poll(2) says that something can be received, within a second.
  var isReadable: Bool {
    var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    return poll(&entry, 1, 1000) == 1
  }
}
