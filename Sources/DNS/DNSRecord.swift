/// The types of records that are asked for.
public enum DNSType: UInt16, CaseIterable, Sendable {
  case a = 1
  case ns = 2
  case cname = 5
  case soa = 6
  case ptr = 12
  case mx = 15
  case txt = 16
  case aaaa = 28
  case srv = 33
  case ds = 43
  case dnskey = 48
  case tlsa = 52
  case caa = 257

  /// As zone files write it.
  public var text: String { "\(self)".uppercased() }
}

/// One record. Names are in lower case, without the dot at their end.
public struct DNSRecord: Hashable, Sendable {
  public enum Data: Hashable, Sendable {
    /// A or AAAA, as `inet_ntop(3)` writes it.
    case address(String)
    /// NS, CNAME or PTR.
    case name(String)
    case mx(preference: UInt16, host: String)
    /// The strings of a TXT record, joined: what they were cut into says nothing (RFC 7208, section 3.3; RFC 6376, section 3.6.2.2).
    case text([UInt8])
    case srv(priority: UInt16, weight: UInt16, port: UInt16, target: String)
    case caa(flags: UInt8, tag: String, value: String)
    /// The data in lower-case hexadecimal digits.
    case tlsa(usage: UInt8, selector: UInt8, matching: UInt8, data: String)
    case soa(primary: String, serial: UInt32)
    /// As a zone file has it.
    case other(String)
  }

  public var name: String
  public var type: DNSType
  /// Seconds.
  public var ttl: UInt32
  public var data: Data
  /// The data as a zone file has it, TXT in the strings that the server has: to take a record out it must be named so. Nil: made here. It
  /// is no part of what makes two records equal.
  public var presentation: String?

  public init(_ name: String, _ type: DNSType, ttl: UInt32 = 3600, _ data: Data) {
    self.name = name
    self.type = type
    self.ttl = ttl
    self.data = data
  }

  public static func == (one: DNSRecord, other: DNSRecord) -> Bool {
    one.name == other.name && one.type == other.type && one.ttl == other.ttl && one.data == other.data
  }

  public func hash(into hasher: inout Hasher) {
    hasher.combine(name)
    hasher.combine(type)
    hasher.combine(data)
  }

  /// What a TXT record says, as far as it is UTF-8.
  public var text: String? {
    if case .text(let bytes) = data { String(decoding: bytes, as: UTF8.self) } else { nil }
  }

  /// The name that an NS, CNAME or PTR record holds.
  public var target: String? {
    if case .name(let name) = data { name } else { nil }
  }

  /// What an A or AAAA record holds.
  public var address: String? {
    if case .address(let address) = data { address } else { nil }
  }
}

/// A name as it is compared: in lower case, without the dot at its end.
public func canonicalName(_ name: some StringProtocol) -> String {
  let lower = name.lowercased()
  return lower.hasSuffix(".") ? String(lower.dropLast()) : lower
}

/// Whether `name` is `zone` or below it.
public func isName(_ name: String, within zone: String) -> Bool {
  zone.isEmpty || name == zone || name.hasSuffix("." + zone)
}
