import DNS

/// What a receiver finds who gets a mail of a domain from an address (RFC 7208, section 2.6).
enum SPFResult: Equatable {
  case pass
  case fail
  case softFail
  case neutral
  /// There is no record.
  case none
  /// The record counts for nothing until somebody mends it.
  case permanentError(String)
  /// A server did not answer.
  case temporaryError(String)

  init(_ qualifier: SPFRecord.Qualifier) {
    switch qualifier {
    case .pass: self = .pass
    case .fail: self = .fail
    case .softFail: self = .softFail
    case .neutral: self = .neutral
    }
  }
}

/// SPF, evaluated as a receiver does it (RFC 7208, section 4).
struct SPFEvaluation {
  typealias Lookup = (String, DNSType) throws(DNSError) -> [DNSRecord]

  /// Terms that ask the DNS, in all records together (section 4.6.4).
  static let mostLookups = 10
  /// Of them those that find nothing.
  static let mostVoidLookups = 2

  private enum Stop: Error {
    case permanent(String)
    case temporary(String)
  }

  let address: IPAddress
  /// `local@domain`; the domain of the greeting where a mail has no sender.
  let sender: String
  /// The name in the greeting.
  let greeting: String
  let lookup: Lookup
  private(set) var lookups = 0
  private var voidLookups = 0
  /// The term that decided.
  private(set) var decidedBy: String?

  init(address: IPAddress, sender: String, greeting: String, lookup: @escaping Lookup) {
    self.address = address.unmapped
    self.sender = sender
    self.greeting = greeting
    self.lookup = lookup
  }

  /// - Parameter record: the record of the domain, where it is known already.
  mutating func result(of domain: String, record: String? = nil) -> SPFResult {
    do throws(Stop) {
      return try evaluate(domain, record: record)
    } catch {
      switch error {
      case .permanent(let text): return .permanentError(text)
      case .temporary(let text): return .temporaryError(text)
      }
    }
  }

  private mutating func evaluate(_ domain: String, record given: String? = nil) throws(Stop) -> SPFResult {
    let text: String
    if let given {
      text = given
    } else {
      let texts = try ask(domain, .txt, isCounted: false).compactMap(\.text).filter(isSPF)
      guard texts.count < 2 else { throw .permanent("\(domain) has \(texts.count) SPF records") }
      guard let one = texts.first else { return .none }
      text = one
    }
    let record: SPFRecord
    do throws(SPFRecord.Fault) { record = try SPFRecord(text) } catch { throw .permanent("\(domain): \(error.text)") }
    for directive in record.directives {
      guard try matches(directive.mechanism, domain) else { continue }
      decidedBy = directive.text
      return SPFResult(directive.qualifier)
    }
    guard let redirect = record.redirect else { return .neutral }
    try count()
    let target = try expanded(redirect, domain)
    let result = try evaluate(target)
    if result == .none { throw .permanent("redirect=\(redirect) leads to no SPF record") }
    return result
  }

  private mutating func matches(_ mechanism: SPFRecord.Mechanism, _ domain: String) throws(Stop) -> Bool {
    switch mechanism {
    case .all: return true
    case .ip4(let network, let prefix), .ip6(let network, let prefix): return address.isWithin(network, prefix: prefix)
    case .include(let target):
      try count()
      let name = try expanded(target, domain)
      switch try evaluate(name) {
      case .pass: return true
      case .none: throw .permanent("include:\(target) leads to no SPF record")
      default: return false
      }
    case .a(let target, let four, let six):
      try count()
      return try hasAddress(try expanded(target, domain), four, six, isCounted: true)
    case .mx(let target, let four, let six):
      try count()
      let servers = try ask(try expanded(target, domain), .mx)
      guard servers.count <= 10 else { throw .permanent("mx: \(domain) has more than 10 MX records") }
      for case .mx(_, let host) in servers.map(\.data) where !host.isEmpty {
        if try hasAddress(host, four, six, isCounted: false) { return true }
      }
      return false
    case .exists(let target):
      try count()
      return try !ask(try expanded(target, domain), .a).isEmpty
    case .ptr(let target):
      try count()
      let wanted = canonicalName(try expanded(target, domain))
      for name in try ask(address.reverseName, .ptr).prefix(10).compactMap(\.target) {
        if isName(name, within: wanted), try hasAddress(name, 32, 128, isCounted: false) { return true }
      }
      return false
    }
  }

  private mutating func hasAddress(
    _ name: String, _ four: Int, _ six: Int, isCounted: Bool
  ) throws(Stop) -> Bool {
    try ask(name, address.isSix ? .aaaa : .a, isCounted: isCounted).compactMap { $0.address.flatMap(IPAddress.init) }
      .contains { address.isWithin($0, prefix: $0.isSix ? six : four) }
  }

  private mutating func count() throws(Stop) {
    lookups += 1
    if lookups > Self.mostLookups { throw .permanent("it asks the DNS more than \(Self.mostLookups) times") }
  }

  private mutating func ask(_ name: String, _ type: DNSType, isCounted: Bool = true) throws(Stop) -> [DNSRecord] {
    let found: [DNSRecord]
    do throws(DNSError) {
      found = try lookup(name, type)
    } catch {
      if error.reason == .badName { throw .permanent(error.text) }
      throw .temporary(error.text)
    }
    if found.isEmpty, isCounted {
      voidLookups += 1
      if voidLookups > Self.mostVoidLookups {
        throw .permanent("more than \(Self.mostVoidLookups) of its names are not there, \(name) the last")
      }
    }
    return found
  }

  private func expanded(_ text: String?, _ domain: String) throws(Stop) -> String {
    guard let text else { return domain }
    guard let name = SPFMacro(address: address, sender: sender, domain: domain, greeting: greeting).expanded(text)
    else {
      throw .permanent("\"\(text)\" cannot be read")
    }
    return canonicalName(name)
  }
}

/// Whether an SPF record lets all of some addresses send; false without any address.
public func senderIsAllowed(
  _ record: String, of domain: String, from addresses: [IPAddress], greeting: String, _ view: DNSView
) -> Bool {
  !addresses.isEmpty
    && addresses.allSatisfy { address in
      var evaluation = SPFEvaluation(address: address, sender: "postmaster@\(domain)", greeting: greeting) {
        name, type throws(DNSError) in try view.records(name, type)
      }
      return evaluation.result(of: domain, record: record) == .pass
    }
}
