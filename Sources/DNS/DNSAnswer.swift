/// What one server said to one question.
public struct DNSAnswer: Sendable {
  /// RCODE of RFC 1035, section 4.1.1, and RFC 2136, section 2.2.
  public enum Status: Hashable, Sendable {
    case noError
    /// The name is not there, for any type.
    case noSuchName
    /// SERVFAIL: of a resolver also its word for data that DNSSEC disproves.
    case serverFailure
    case refused
    /// NOTAUTH: of an update also a signature that is not taken.
    case notAuthoritative
    case other(UInt8)

    /// As the protocol names it.
    public var text: String {
      switch self {
      case .noError: "NOERROR"
      case .noSuchName: "NXDOMAIN"
      case .serverFailure: "SERVFAIL"
      case .refused: "REFUSED"
      case .notAuthoritative: "NOTAUTH"
      case .other(let number): "RCODE \(number)"
      }
    }
  }

  public var status: Status
  /// AA: the server has the zone itself.
  public var isAuthoritative: Bool
  /// AD: a resolver has verified the signatures.
  public var isAuthenticated: Bool
  public var records: [DNSRecord]
  /// The authority section: where nothing was found, the SOA of the zone that says so.
  public var authority: [DNSRecord]

  public init(
    status: Status, isAuthoritative: Bool = false, isAuthenticated: Bool = false, records: [DNSRecord] = [],
    authority: [DNSRecord] = []
  ) {
    self.status = status
    self.isAuthoritative = isAuthoritative
    self.isAuthenticated = isAuthenticated
    self.records = records
    self.authority = authority
  }

  /// The records of a name and type. What else a server adds was not asked for, and is not believed.
  public func records(of name: String, _ type: DNSType) -> [DNSRecord] {
    records.filter { $0.name == name && $0.type == type }
  }
}

/// Why there is no answer.
public struct DNSError: Error, Equatable, Sendable {
  public enum Reason: Equatable, Sendable {
    /// Nothing came in time, or nothing that could be read.
    case noAnswer
    /// This machine has no route to the address.
    case unreachable
    /// What was asked for is no name of the DNS.
    case badName
    /// A key for signatures is none.
    case badKey
  }

  public var reason: Reason
  public var text: String

  public init(_ reason: Reason, _ text: String) {
    self.reason = reason
    self.text = text
  }
}

/// A name server: a numeric address and a port.
public struct DNSServer: Hashable, Sendable {
  public var address: String
  public var port: UInt16

  public init(address: String, port: UInt16 = 53) {
    self.address = address
    self.port = port
  }

  /// As `dig` names it: the port only where it is not the usual one.
  public var text: String { port == 53 ? address : "\(address)#\(port)" }
}

/// Whoever asks name servers.
public protocol NameServerAsking {
  /// Asks one server.
  /// - Parameters:
  ///   - recursive: whether the server is to look elsewhere, as a resolver does.
  ///   - unchecked: whether a resolver is to hand out what DNSSEC disproves (CD).
  func ask(
    _ name: String, _ type: DNSType, of server: DNSServer, recursive: Bool, unchecked: Bool
  ) throws(DNSError) -> DNSAnswer
}
