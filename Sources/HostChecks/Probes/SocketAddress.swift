import CLinux
import Glibc
import MailbootCore

/// Any socket address.
struct SocketAddress {
  private var storage: sockaddr_storage
  private var length: socklen_t

  var family: Int32 { Int32(storage.ss_family) }

  init(copying address: UnsafePointer<sockaddr>, length: socklen_t) {
    storage = sockaddr_storage()
    self.length = length
    withUnsafeMutableBytes(of: &storage) {
      $0.copyMemory(from: UnsafeRawBufferPointer(start: address, count: min(Int(length), $0.count)))
    }
  }

  /// Of a literal IPv4 address and any port; nil when it is none.
  init?(ipv4 text: String) {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    guard inet_pton(AF_INET, text, &address.sin_addr) == 1 else { return nil }
    self = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        SocketAddress(copying: $0, length: socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
  }

  /// Of a Unix socket; the path must fit (`ProbeURL.longestSocketPath`).
  init(path: String) {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix($0.count - 1)) }
    self = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        SocketAddress(copying: $0, length: socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
  }

  func withPointer<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
    withUnsafePointer(to: storage) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, length) }
    }
  }
}

/// Addresses to try, in order. Literal addresses ask nobody; for a name the name service takes the time it takes.
func addresses(of url: ProbeURL) throws(Silence) -> [SocketAddress] {
  guard let port = url.port else { return [SocketAddress(path: url.path)] }
  var hints = addrinfo()
  hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV
  var list: UnsafeMutablePointer<addrinfo>?
  var status = getaddrinfo(url.host, "\(port)", &hints, &list)
  if status == EAI_NONAME {
    hints.ai_flags = AI_NUMERICSERV
    status = getaddrinfo(url.host, "\(port)", &hints, &list)
  }
  guard status == 0 else {
    throw Silence(reason: "cannot resolve \(url.host): \(String(cString: gai_strerror(status)).lowercased())")
  }
  defer { freeaddrinfo(list) }
  var result: [SocketAddress] = []
  var entry = list
  while let current = entry {
    if let address = current.pointee.ai_addr {
      result.append(SocketAddress(copying: address, length: current.pointee.ai_addrlen))
    }
    entry = current.pointee.ai_next
  }
  return result
}

/// True when `host` is an address, not a name: it then is no server name for TLS (RFC 6066, section 3).
func isLiteralAddress(_ host: String) -> Bool {
  var buffer = in6_addr()
  return host.contains(":") || inet_pton(AF_INET, host, &buffer) == 1
}
