import CLDNS
import Glibc

/// Asks name servers through ldns: UDP with EDNS, TCP where an answer is cut.
public struct DNSClient: NameServerAsking {
  /// How long one server is waited for, tries included, in seconds.
  public static let patience = 4

  public init() {}

  public func ask(
    _ name: String, _ type: DNSType, of server: DNSServer, recursive: Bool, unchecked: Bool
  ) throws(DNSError) -> DNSAnswer {
    let question = try LDNSName(name)
    let resolver = try LDNSResolver(server)
    ldns_resolver_set_dnssec_cd(resolver.raw, unchecked ? 1 : 0)
    // Whoever verifies says so (AD) only to those who ask for signatures, or set AD in the question: not all know the second.
    ldns_resolver_set_dnssec(resolver.raw, recursive ? 1 : 0)
    var packet: UnsafeMutablePointer<ldns_pkt>?
    let flags = UInt16(recursive ? LDNS_RD : 0)
    let status = ldns_resolver_send(
      &packet, resolver.raw, question.raw, ldns_rr_type(UInt32(type.rawValue)), LDNS_RR_CLASS_IN, flags)
    guard status == LDNS_STATUS_OK, let packet else {
      throw DNSError(.noAnswer, "\(server.text) does not answer")
    }
    defer { ldns_pkt_free(packet) }
    return DNSAnswer(packet)
  }
}

extension DNSAnswer {
  init(_ packet: UnsafeMutablePointer<ldns_pkt>) {
    self.init(
      status: Status(ldns_pkt_get_rcode(packet)), isAuthoritative: ldns_pkt_aa(packet) != 0,
      isAuthenticated: ldns_pkt_ad(packet) != 0, records: Self.records(ldns_pkt_answer(packet)),
      authority: Self.records(ldns_pkt_authority(packet)))
  }

  private static func records(_ list: UnsafeMutablePointer<ldns_rr_list>?) -> [DNSRecord] {
    guard let list else { return [] }
    return (0..<ldns_rr_list_rr_count(list)).compactMap { ldns_rr_list_rr(list, $0).flatMap(DNSRecord.init) }
  }
}

extension DNSAnswer.Status {
  init(_ code: ldns_pkt_rcode) {
    switch code {
    case LDNS_RCODE_NOERROR: self = .noError
    case LDNS_RCODE_NXDOMAIN: self = .noSuchName
    case LDNS_RCODE_SERVFAIL: self = .serverFailure
    case LDNS_RCODE_REFUSED: self = .refused
    case LDNS_RCODE_NOTAUTH: self = .notAuthoritative
    default: self = .other(UInt8(truncatingIfNeeded: code.rawValue))
    }
  }
}

extension DNSRecord {
  /// Nil for a type that nobody here asks for, and for one that is not whole.
  init?(_ record: UnsafeMutablePointer<ldns_rr>) {
    guard let type = DNSType(rawValue: UInt16(truncatingIfNeeded: ldns_rr_get_type(record).rawValue)),
      let owner = zoneText(ldns_rr_owner(record))
    else { return nil }
    let fields = (0..<ldns_rr_rd_count(record)).compactMap { ldns_rr_rdf(record, $0) }
    guard let data = Self.data(type, fields) else { return nil }
    self.init(canonicalName(owner), type, ttl: ldns_rr_ttl(record), data)
    presentation = fields.compactMap { zoneText($0) }.joined(separator: " ")
  }

  private static func data(_ type: DNSType, _ fields: [UnsafeMutablePointer<ldns_rdf>]) -> Data? {
    let words = fields.map { zoneText($0) ?? "" }
    switch type {
    case .a, .aaaa: return words.first.map { .address($0) }
    case .ns, .cname, .ptr: return words.first.map { .name(canonicalName($0)) }
    case .mx:
      guard words.count == 2, let preference = UInt16(words[0]) else { return nil }
      return .mx(preference: preference, host: canonicalName(words[1]))
    case .txt:
      // Each string is behind a byte with its length.
      return .text(fields.flatMap { bytes($0).dropFirst() })
    case .srv:
      guard words.count == 4, let priority = UInt16(words[0]), let weight = UInt16(words[1]),
        let port = UInt16(words[2])
      else { return nil }
      return .srv(priority: priority, weight: weight, port: port, target: canonicalName(words[3]))
    case .caa:
      guard words.count == 3, let flags = UInt8(words[0]) else { return nil }
      return .caa(
        flags: flags, tag: String(decoding: bytes(fields[1]).dropFirst(), as: UTF8.self),
        value: String(decoding: bytes(fields[2]), as: UTF8.self))
    case .tlsa:
      guard words.count == 4, let usage = UInt8(words[0]), let selector = UInt8(words[1]),
        let matching = UInt8(words[2])
      else { return nil }
      return .tlsa(usage: usage, selector: selector, matching: matching, data: words[3].lowercased())
    case .soa:
      guard words.count == 7, let serial = UInt32(words[2]) else { return nil }
      return .soa(primary: canonicalName(words[0]), serial: serial)
    case .ds, .dnskey: return .other(words.joined(separator: " "))
    }
  }

  private static func bytes(_ field: UnsafeMutablePointer<ldns_rdf>) -> [UInt8] {
    guard let data = ldns_rdf_data(field) else { return [] }
    return Array(UnsafeBufferPointer(start: data, count: ldns_rdf_size(field)))
  }
}

/// As a zone file has it.
func zoneText(_ field: UnsafeMutablePointer<ldns_rdf>?) -> String? {
  guard let field, let text = ldns_rdf2str(field) else { return nil }
  defer { free(text) }
  return String(cString: text)
}

/// A name in the form of the protocol.
final class LDNSName {
  let raw: UnsafeMutablePointer<ldns_rdf>

  init(_ name: String) throws(DNSError) {
    let absolute = name.hasSuffix(".") ? name : name + "."
    guard !name.utf8.contains(0), let raw = ldns_dname_new_frm_str(absolute) else {
      throw DNSError(.badName, "\(name) is no name of the DNS")
    }
    self.raw = raw
  }

  deinit { ldns_rdf_deep_free(raw) }
}

/// A resolver of ldns that knows one server.
final class LDNSResolver {
  let raw: UnsafeMutablePointer<ldns_resolver>

  init(_ server: DNSServer) throws(DNSError) {
    let type = server.address.contains(":") ? LDNS_RDF_TYPE_AAAA : LDNS_RDF_TYPE_A
    guard let address = ldns_rdf_new_frm_str(type, server.address) else {
      throw DNSError(.badName, "\(server.address) is no address")
    }
    defer { ldns_rdf_deep_free(address) }
    guard Self.hasRoute(server) else { throw DNSError(.unreachable, "\(server.text) cannot be reached: no route") }
    guard let raw = ldns_resolver_new() else { throw DNSError(.noAnswer, "no memory") }
    self.raw = raw
    ldns_resolver_set_port(raw, server.port)
    ldns_resolver_set_retry(raw, 2)
    ldns_resolver_set_timeout(raw, timeval(tv_sec: DNSClient.patience / 2, tv_usec: 0))
    ldns_resolver_set_edns_udp_size(raw, 1232)
    ldns_resolver_push_nameserver(raw, address)
  }

  deinit { ldns_resolver_deep_free(raw) }

  /// Nothing is sent for this.
  private static func hasRoute(_ server: DNSServer) -> Bool {
    var hints = addrinfo()
    hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV
    hints.ai_socktype = Int32(SOCK_DGRAM.rawValue)
    var found: UnsafeMutablePointer<addrinfo>?
    guard getaddrinfo(server.address, String(server.port), &hints, &found) == 0, let found else { return false }
    defer { freeaddrinfo(found) }
    let descriptor = socket(found.pointee.ai_family, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    return connect(descriptor, found.pointee.ai_addr, found.pointee.ai_addrlen) == 0
  }
}
