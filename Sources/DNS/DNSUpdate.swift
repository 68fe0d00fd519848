import CLDNS
import Glibc

/// A key that signs updates (TSIG, RFC 8945).
public struct UpdateKey: Sendable {
  public var name: String
  /// As `tsig-keygen` writes it: `hmac-sha256`.
  public var algorithm: String
  /// Base64.
  public var secret: String

  public init(name: String, algorithm: String, secret: String) {
    self.name = name
    self.algorithm = algorithm
    self.secret = secret
  }
}

/// A change of a zone by its primary server (RFC 2136).
public struct DNSUpdate: Sendable {
  public enum Change: Hashable, Sendable {
    /// A line of a zone file with a whole name.
    case add(String)
    /// All records of a name and a type.
    case remove(name: String, DNSType)
  }

  public var zone: String
  public var changes: [Change]

  public init(zone: String, _ changes: [Change]) {
    self.zone = zone
    self.changes = changes
  }

  /// Sends it, and waits for what the server says.
  public func send(to server: DNSServer, key: UpdateKey?) throws(DNSError) -> DNSAnswer.Status {
    let resolver = try LDNSResolver(server)
    let records = try lines()
    defer { ldns_rr_list_deep_free(records) }
    // Taken by the packet.
    guard let zone = ldns_dname_new_frm_str(zone + ".") else { throw DNSError(.badName, "\(zone) is no zone") }
    guard let packet = ldns_update_pkt_new(zone, LDNS_RR_CLASS_IN, nil, records, nil) else {
      ldns_rdf_deep_free(zone)
      throw DNSError(.noAnswer, "no memory")
    }
    defer { ldns_pkt_free(packet) }
    ldns_pkt_set_random_id(packet)
    if let key {
      // With them the answer is verified, too.
      ldns_resolver_set_tsig_keyname(resolver.raw, key.name)
      ldns_resolver_set_tsig_keydata(resolver.raw, key.secret)
      ldns_resolver_set_tsig_algorithm(resolver.raw, key.algorithm)
      guard ldns_update_pkt_tsig_add(packet, resolver.raw) == LDNS_STATUS_OK else {
        throw DNSError(.badKey, "the key \(key.name) signs nothing: its algorithm or its secret is not known")
      }
    }
    var answer: UnsafeMutablePointer<ldns_pkt>?
    let status = ldns_resolver_send_pkt(&answer, resolver.raw, packet)
    if status == LDNS_STATUS_CRYPTO_TSIG_BOGUS || status == LDNS_STATUS_CRYPTO_TSIG_ERR {
      throw DNSError(.badKey, "\(server.text) does not answer to the key \(key?.name ?? "")")
    }
    guard status == LDNS_STATUS_OK, let answer else { throw DNSError(.noAnswer, "\(server.text) does not answer") }
    defer { ldns_pkt_free(answer) }
    return DNSAnswer.Status(ldns_pkt_get_rcode(answer))
  }

  private func lines() throws(DNSError) -> UnsafeMutablePointer<ldns_rr_list> {
    guard let list = ldns_rr_list_new() else { throw DNSError(.noAnswer, "no memory") }
    for change in changes {
      var record: UnsafeMutablePointer<ldns_rr>?
      switch change {
      case .add(let line):
        guard ldns_rr_new_frm_str(&record, line, 3600, nil, nil) == LDNS_STATUS_OK else {
          ldns_rr_list_deep_free(list)
          throw DNSError(.badName, "`\(line)` is no record")
        }
      case .remove(let name, let type):
        // Class ANY, no data, TTL 0 (RFC 2136, section 2.5.2).
        guard let new = ldns_rr_new(), let owner = ldns_dname_new_frm_str(name + ".") else {
          ldns_rr_list_deep_free(list)
          throw DNSError(.badName, "\(name) is no name of the DNS")
        }
        ldns_rr_set_owner(new, owner)
        ldns_rr_set_type(new, ldns_rr_type(UInt32(type.rawValue)))
        ldns_rr_set_class(new, LDNS_RR_CLASS_ANY)
        ldns_rr_set_ttl(new, 0)
        record = new
      }
      if let record { ldns_rr_list_push_rr(list, record) }
    }
    return list
  }
}
