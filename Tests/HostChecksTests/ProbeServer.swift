import CLinux
import COpenSSL
import Foundation
import Synchronization

/// One accepted connection as a test's server sees it: blocking, in its own thread.
final class ServedConnection {
  private let descriptor: Int32
  private var ssl: OpaquePointer?

  init(_ descriptor: Int32, tls context: OpaquePointer?) {
    self.descriptor = descriptor
    // A client that hangs must not hang the test.
    var limit = timeval(tv_sec: 20, tv_usec: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    startTLS(context)
  }

  /// Speaks TLS from here on.
  func startTLS(_ context: OpaquePointer?) {
    ssl = context.flatMap { SSL_new($0) }
    if let ssl {
      SSL_set_fd(ssl, descriptor)
      SSL_accept(ssl)
    }
  }

  func send(_ text: String) { send(bytes: Array(text.utf8)) }

  func send(bytes: [UInt8]) {
    if let ssl {
      SSL_write(ssl, bytes, Int32(bytes.count))
    } else {
      _ = Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
    }
  }

  /// The next line without its end; nil when the client has closed.
  func line() -> String? {
    var bytes: [UInt8] = []
    var byte: UInt8 = 0
    while true {
      let count = ssl.map { Int(SSL_read($0, &byte, 1)) } ?? recv(descriptor, &byte, 1, 0)
      if count != 1 { return bytes.isEmpty ? nil : String(decoding: bytes, as: UTF8.self) }
      if byte == UInt8(ascii: "\n") { break }
      bytes.append(byte)
    }
    if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
    return String(decoding: bytes, as: UTF8.self)
  }

  func bytes(_ count: Int) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    let received = recv(descriptor, &bytes, count, Int32(MSG_WAITALL))
    return Array(bytes.prefix(max(0, received)))
  }

  /// The server name that the client asked for by TLS.
  var serverName: String? {
    ssl.flatMap { SSL_get_servername($0, TLSEXT_NAMETYPE_host_name) }.map { String(cString: $0) }
  }

  /// True when the client ended TLS properly before it closed.
  var clientEndedTLS: Bool { ssl.map { SSL_get_shutdown($0) & SSL_RECEIVED_SHUTDOWN != 0 } ?? false }

  deinit {
    if let ssl { SSL_free(ssl) }
    close(descriptor)
  }
}

/// A real server on loopback or on a Unix socket; serves one connection after the other until it goes away.
final class ProbeServer: Sendable {
  private let listener: Int32
  let port: UInt16
  private let heard = Mutex<[String]>([])
  private let accepted = Mutex(0)

  /// All lines that the service noted with `note`.
  var notes: [String] { heard.withLock { $0 } }
  var connections: Int { accepted.withLock { $0 } }

  func note(_ text: String) { heard.withLock { $0.append(text) } }

  init(
    unix path: String? = nil, ipv6: Bool = false, tls certificate: CertificateFixture? = nil,
    serve: @escaping @Sendable (ServedConnection, ProbeServer) -> Void
  ) throws {
    // OpenSSL writes to a closed socket without asking for silence.
    signal(SIGPIPE, SIG_IGN)
    (listener, port) = try Self.listen(unix: path, ipv6: ipv6)
    nonisolated(unsafe) let context = try certificate?.serverContext()
    let listener = listener
    Thread.detachNewThread { [weak self] in
      while true {
        let descriptor = accept(listener, nil, nil)
        guard descriptor >= 0, let self else { break }
        self.accepted.withLock { $0 += 1 }
        serve(ServedConnection(descriptor, tls: context), self)
      }
      close(listener)
      SSL_CTX_free(context)
    }
  }

  deinit {
    // Wakes the thread, which then closes the descriptor.
    shutdown(listener, Int32(SHUT_RDWR))
  }

  private static func listen(unix path: String?, ipv6: Bool) throws -> (Int32, UInt16) {
    let family = path != nil ? AF_UNIX : ipv6 ? AF_INET6 : AF_INET
    let listener = socket(family, Int32(SOCK_STREAM.rawValue), 0)
    var status: Int32
    var port: UInt16 = 0
    if let path {
      var address = sockaddr_un()
      address.sun_family = sa_family_t(AF_UNIX)
      withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
      status = rebound(&address) { bind(listener, $0, $1) }
    } else if ipv6 {
      var address = sockaddr_in6()
      address.sin6_family = sa_family_t(AF_INET6)
      address.sin6_addr = in6addr_loopback
      status = rebound(&address) { bind(listener, $0, $1) }
      var length = socklen_t(MemoryLayout<sockaddr_in6>.size)
      _ = rebound(&address) {
        getsockname(listener, UnsafeMutablePointer(mutating: $0), &length)
        return $1
      }
      port = UInt16(bigEndian: address.sin6_port)
    } else {
      var address = sockaddr_in()
      address.sin_family = sa_family_t(AF_INET)
      address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
      status = rebound(&address) { bind(listener, $0, $1) }
      var length = socklen_t(MemoryLayout<sockaddr_in>.size)
      _ = rebound(&address) {
        getsockname(listener, UnsafeMutablePointer(mutating: $0), &length)
        return $1
      }
      port = UInt16(bigEndian: address.sin_port)
    }
    if status == 0 { status = Glibc.listen(listener, 16) }
    guard status == 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
    return (listener, port)
  }

  private static func rebound<Address, Result>(
    _ address: inout Address, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
  ) -> Result {
    withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<Address>.size)) }
    }
  }
}

/// A loopback port on which nobody listens: it was free a moment ago.
func unusedPort() throws -> UInt16 {
  try ProbeServer { _, _ in }.port
}
