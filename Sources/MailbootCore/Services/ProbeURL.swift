/// Where and how a service is asked whether it answers: the parsed form of a probe URL.
///
/// `SCHEME://HOST[:PORT][/PATH]`, an IPv6 address in brackets; or `SCHEME:///PATH` for a Unix socket. Only parsed here,
/// nothing is looked up.
public struct ProbeURL: Equatable, Sendable {
  /// The protocol whose greeting or answer counts.
  public enum Scheme: String, CaseIterable, Sendable {
    case smtp, smtps, lmtp, imap, imaps, pop3, pop3s, sieve, http, https, redis, milter, tcp, unix

    /// Nil: the URL must name the port (or, for `unix`, a path).
    public var defaultPort: UInt16? {
      switch self {
      case .smtp: 25
      case .smtps: 465
      case .lmtp: 24
      case .imap: 143
      case .imaps: 993
      case .pop3: 110
      case .pop3s: 995
      case .sieve: 4190
      case .http: 80
      case .https: 443
      case .redis: 6379
      case .milter, .tcp, .unix: nil
      }
    }

    /// True when TLS comes before the first byte of the protocol.
    public var usesTLS: Bool {
      switch self {
      case .smtps, .imaps, .pop3s, .https: true
      case .smtp, .lmtp, .imap, .pop3, .sieve, .http, .redis, .milter, .tcp, .unix: false
      }
    }

    /// True when `SCHEME:///PATH` names a Unix socket.
    public var allowsUnixSocket: Bool {
      switch self {
      case .smtp, .lmtp, .imap, .pop3, .sieve, .redis, .milter, .unix: true
      case .smtps, .imaps, .pop3s, .http, .https, .tcp: false
      }
    }
  }

  public var scheme: Scheme
  /// Name or address without brackets; empty for a Unix socket.
  public var host: String
  /// Nil for a Unix socket.
  public var port: UInt16?
  /// The Unix socket's absolute path; for HTTP what is asked for, with its query, at least `/`; else empty.
  public var path: String

  /// The longest path that fits `sockaddr_un` with its terminating zero, bytes (unix(7)).
  public static let longestSocketPath = 107

  /// Of a server on a host.
  /// - Parameter host: a name, or an address without brackets.
  public init(_ scheme: Scheme, host: String, port: UInt16) {
    self.scheme = scheme
    self.host = host
    self.port = port
    path = scheme == .http || scheme == .https ? "/" : ""
  }

  /// Throws what is wrong with `text` in words for the person who wrote it.
  public init(parsing text: String) throws(ProbeURLError) {
    guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else { throw .unprintable }
    // Not by `firstRange`, which brings the whole of Swift's regular expressions into each program.
    guard let colon = text.firstIndex(of: ":"), text[colon...].hasPrefix("://") else { throw .noScheme }
    let name = text[..<colon].lowercased()
    guard let scheme = Scheme(rawValue: name) else { throw .unknownScheme(name) }
    let rest = text[text.index(colon, offsetBy: 3)...]
    let slash = rest.firstIndex(of: "/") ?? rest.endIndex
    self.scheme = scheme
    if rest.hasPrefix("/") {
      (host, port) = ("", nil)
      path = try Self.socketPath(String(rest), scheme: scheme)
    } else {
      (host, port) = try Self.authority(rest[..<slash], scheme: scheme)
      path = try Self.path(String(rest[slash...]), scheme: scheme)
    }
  }

  private static func socketPath(_ path: String, scheme: Scheme) throws(ProbeURLError) -> String {
    guard scheme.allowsUnixSocket else { throw .noHost(scheme) }
    guard path.utf8.count > 1, !path.hasSuffix("/") else { throw .noSocketPath(scheme) }
    guard path.utf8.count <= longestSocketPath else { throw .socketPathTooLong(path.utf8.count) }
    return path
  }

  private static func authority(
    _ text: Substring, scheme: Scheme
  ) throws(ProbeURLError) -> (host: String, port: UInt16?) {
    if text.isEmpty { throw scheme == .unix ? .noSocketPath(scheme) : .noHost(scheme) }
    if scheme == .unix { throw .hostForUnixSocket }
    if text.contains("@") { throw .userInfo }
    var host: Substring
    var port: Substring?
    if text.hasPrefix("[") {
      guard let end = text.firstIndex(of: "]") else { throw .badHost(String(text)) }
      host = text[text.index(after: text.startIndex)..<end]
      let after = text[text.index(after: end)...]
      guard after.isEmpty || after.hasPrefix(":") else { throw .badHost(String(text)) }
      port = after.isEmpty ? nil : after.dropFirst()
      guard host.contains(":"), host.utf8.allSatisfy(isAddressByte) else { throw .badHost(String(host)) }
    } else {
      let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
      host = parts[0]
      port = parts.count == 2 ? parts[1] : nil
      if let port, port.contains(":") { throw .unbracketedAddress(String(text)) }
      if host.isEmpty { throw .noHost(scheme) }
      guard host.utf8.allSatisfy(isNameByte) else { throw .badHost(String(host)) }
    }
    guard let port else {
      guard let number = scheme.defaultPort else { throw .noPort(scheme) }
      return (String(host), number)
    }
    guard port.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = UInt16(port), number > 0 else {
      throw .badPort(String(port))
    }
    return (String(host), number)
  }

  private static func path(_ text: String, scheme: Scheme) throws(ProbeURLError) -> String {
    switch scheme {
    case .http, .https:
      if text.contains("#") { throw .fragment }
      return text.isEmpty ? "/" : text
    case .smtp, .smtps, .lmtp, .imap, .imaps, .pop3, .pop3s, .sieve, .redis, .milter, .tcp, .unix:
      guard text.isEmpty || text == "/" else { throw .pathNotUsed(scheme) }
      return ""
    }
  }

  private static func isNameByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"): true
    default: false
    }
  }

  /// An IPv6 address, its zone (`%eth0`) included.
  private static func isAddressByte(_ byte: UInt8) -> Bool {
    isNameByte(byte) || byte == UInt8(ascii: ":") || byte == UInt8(ascii: "%")
  }
}

/// What is wrong with a probe URL; `description` says it in a few words, lower case.
public enum ProbeURLError: Error, Equatable, Sendable, CustomStringConvertible {
  case unprintable
  case noScheme
  case unknownScheme(String)
  case noHost(ProbeURL.Scheme)
  case badHost(String)
  case unbracketedAddress(String)
  case userInfo
  case noPort(ProbeURL.Scheme)
  case badPort(String)
  case pathNotUsed(ProbeURL.Scheme)
  case fragment
  case hostForUnixSocket
  case noSocketPath(ProbeURL.Scheme)
  case socketPathTooLong(Int)

  public var description: String {
    switch self {
    case .unprintable:
      "a probe URL has only printable ASCII characters and no spaces"
    case .noScheme:
      "not a URL: expected SCHEME://HOST:PORT, such as smtp://127.0.0.1:25"
    case .unknownScheme(let name):
      "unknown scheme \"\(name)\": expected one of \(ProbeURL.Scheme.allCases.map(\.rawValue).joined(separator: ", "))"
    case .noHost(let scheme):
      "no host: expected \(scheme.rawValue)://HOST\(scheme.defaultPort == nil ? ":PORT" : "")"
    case .badHost(let host):
      "\"\(host)\" is neither a host name nor an address (IPv6 in brackets)"
    case .unbracketedAddress(let text):
      "\"\(text)\": an IPv6 address needs brackets, such as [::1]:25"
    case .userInfo:
      "a user name or password has no place in a probe URL"
    case .noPort(let scheme):
      "no port: \(scheme.rawValue):// has no default one"
    case .badPort(let port):
      "\"\(port)\" is not a port (1 to 65535)"
    case .pathNotUsed(let scheme):
      scheme.allowsUnixSocket
        ? "\(scheme.rawValue):// has no path after the host; a Unix socket is \(scheme.rawValue):///PATH"
        : "\(scheme.rawValue):// has no path after the host"
    case .fragment:
      "\"#\" has no place in a probe URL"
    case .hostForUnixSocket:
      "unix:// has no host: expected unix:///PATH"
    case .noSocketPath(let scheme):
      "no socket: expected \(scheme.rawValue):///PATH"
    case .socketPathTooLong(let bytes):
      "a socket's path has at most \(ProbeURL.longestSocketPath) bytes, this one has \(bytes)"
    }
  }
}
