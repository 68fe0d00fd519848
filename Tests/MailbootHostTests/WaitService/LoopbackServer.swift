import Foundation
import Synchronization

/// One accepted connection of a test's server: blocking, in its own thread.
final class LoopbackConnection {
  private let descriptor: Int32

  fileprivate init(_ descriptor: Int32) {
    self.descriptor = descriptor
    // A client that hangs must not hang the test.
    var limit = timeval(tv_sec: 20, tv_usec: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
  }

  deinit { close(descriptor) }

  func send(_ text: String) {
    let bytes = Array(text.utf8)
    _ = Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
  }

  /// Nil when the client has closed before so many bytes came.
  func bytes(_ count: Int) -> [UInt8]? {
    var bytes: [UInt8] = []
    while bytes.count < count {
      var chunk = [UInt8](repeating: 0, count: count - bytes.count)
      let received = recv(descriptor, &chunk, chunk.count, 0)
      guard received > 0 else { return nil }
      bytes += chunk[..<received]
    }
    return bytes
  }

  /// The next line without its CR LF; nil when the client has closed.
  func line() -> String? {
    var line: [UInt8] = []
    while let byte = bytes(1)?.first {
      if byte == UInt8(ascii: "\n") {
        if line.last == UInt8(ascii: "\r") { line.removeLast() }
        return String(decoding: line, as: UTF8.self)
      }
      line.append(byte)
    }
    return nil
  }
}

/// A real server on loopback, one connection after the other until it goes away.
final class LoopbackServer: Sendable {
  private let listener: Int32
  let port: UInt16

  init(serve: @escaping @Sendable (LoopbackConnection) -> Void) throws {
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let status = withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
        bind(listener, pointer, length) | getsockname(listener, pointer, &length) | listen(listener, 16)
      }
    }
    guard status == 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
    self.listener = listener
    port = UInt16(bigEndian: address.sin_port)
    Thread.detachNewThread {
      while true {
        let descriptor = accept(listener, nil, nil)
        guard descriptor >= 0 else { break }
        serve(LoopbackConnection(descriptor))
      }
      close(listener)
    }
  }

  // Wakes the thread, which then closes the descriptor.
  deinit { shutdown(listener, Int32(SHUT_RDWR)) }
}

/// One request as it arrived.
struct HTTPRequest: Sendable {
  var method: String
  var target: String
  /// Names in lower case.
  var headers: [String: String]
  var body: String
}

/// Takes requests, answers each with the same status.
final class HTTPRecorder: Sendable {
  private let taken: Shared<[HTTPRequest]>
  private let server: LoopbackServer

  var requests: [HTTPRequest] { taken.value }
  var url: String { "http://127.0.0.1:\(server.port)" }

  init(status: String = "200 OK") throws {
    let taken = Shared<[HTTPRequest]>([])
    self.taken = taken
    server = try LoopbackServer { connection in
      guard let first = connection.line()?.split(separator: " "), first.count == 3 else { return }
      var headers: [String: String] = [:]
      while let line = connection.line(), !line.isEmpty {
        let parts = line.split(separator: ":", maxSplits: 1)
        headers[parts[0].lowercased()] = parts.count > 1 ? parts[1].trimmingCharacters(in: .whitespaces) : ""
      }
      if headers["expect"] != nil { connection.send("HTTP/1.1 100 Continue\r\n\r\n") }
      let length = headers["content-length"].flatMap { Int($0) } ?? 0
      let body = connection.bytes(length) ?? []
      taken.append(
        HTTPRequest(
          method: String(first[0]), target: String(first[1]), headers: headers,
          body: String(decoding: body, as: UTF8.self)))
      connection.send("HTTP/1.1 \(status)\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
    }
  }
}

/// One mail as it arrived.
struct ReceivedMail: Sendable {
  var sender = ""
  var recipients: [String] = []
  /// As `AUTH PLAIN` sent it, decoded: an empty name, user, password, with NUL between.
  var credentials: String?
  /// Each ended by CR LF on the wire; the dots that SMTP adds are taken away.
  var lines: [String] = []
}

/// A mail server that takes everything, from whoever says who they are.
final class SMTPRecorder: Sendable {
  private let taken: Shared<[ReceivedMail]>
  private let server: LoopbackServer

  var mails: [ReceivedMail] { taken.value }
  var url: String { "smtp://127.0.0.1:\(server.port)" }

  init() throws {
    let taken = Shared<[ReceivedMail]>([])
    self.taken = taken
    server = try LoopbackServer { connection in
      var mail = ReceivedMail()
      connection.send("220 relay ESMTP\r\n")
      while let line = connection.line() {
        let verb = line.prefix(4).uppercased()
        switch verb {
        case "EHLO": connection.send("250-relay\r\n250 AUTH PLAIN\r\n")
        case "AUTH":
          var answer = line.split(separator: " ").dropFirst(2).first.map(String.init)
          if answer == nil {
            connection.send("334 \r\n")
            answer = connection.line()
          }
          mail.credentials = answer.flatMap { Data(base64Encoded: $0) }.map { String(decoding: $0, as: UTF8.self) }
          connection.send("235 welcome\r\n")
        case "MAIL":
          mail.sender = Self.address(line)
          connection.send("250 ok\r\n")
        case "RCPT":
          mail.recipients.append(Self.address(line))
          connection.send("250 ok\r\n")
        case "DATA":
          connection.send("354 go on\r\n")
          while let line = connection.line(), line != "." {
            mail.lines.append(line.hasPrefix(".") ? String(line.dropFirst()) : line)
          }
          taken.append(mail)
          connection.send("250 taken\r\n")
        case "QUIT":
          connection.send("221 bye\r\n")
          return
        default: connection.send("500 what\r\n")
        }
      }
    }
  }

  private static func address(_ line: String) -> String {
    line.split(separator: "<").dropFirst().first?.split(separator: ">").first.map(String.init) ?? line
  }
}

/// A value for the server's thread and the test.
final class Shared<Value: Sendable>: Sendable {
  private let mutex: Mutex<Value>

  init(_ value: Value) { mutex = Mutex(value) }

  var value: Value { mutex.withLock { $0 } }

  func append<Element: Sendable>(_ element: Element) where Value == [Element] {
    mutex.withLock { $0.append(element) }
  }
}
