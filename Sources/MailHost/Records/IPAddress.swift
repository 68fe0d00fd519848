import Glibc

/// A numeric address: four bytes or sixteen.
public struct IPAddress: Hashable, Sendable, Comparable {
  public let bytes: [UInt8]

  /// Nil for a text that is none, as `inet_pton(3)` reads it.
  public init?(_ text: String) {
    var four = in_addr()
    var six = in6_addr()
    if inet_pton(AF_INET, text, &four) == 1 {
      bytes = withUnsafeBytes(of: four) { Array($0) }
    } else if inet_pton(AF_INET6, text, &six) == 1 {
      bytes = withUnsafeBytes(of: six) { Array($0) }
    } else {
      return nil
    }
  }

  private init(bytes: [UInt8]) { self.bytes = bytes }

  /// The address of IPv4 that one of IPv6 stands for (`::ffff:192.0.2.1`), or itself.
  public var unmapped: IPAddress {
    isSix && bytes.starts(with: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff])
      ? IPAddress(bytes: Array(bytes.suffix(4))) : self
  }

  public var isSix: Bool { bytes.count == 16 }

  public var text: String {
    var buffer = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
    let family = isSix ? AF_INET6 : AF_INET
    guard bytes.withUnsafeBytes({ inet_ntop(family, $0.baseAddress, &buffer, socklen_t(buffer.count)) }) != nil else {
      return ""
    }
    return String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  /// The labels of a name that is looked up by the address, the last byte or half-byte first.
  public var reversedLabels: String {
    let labels = isSix ? bytes.flatMap { [$0 >> 4, $0 & 15] }.map { String($0, radix: 16) } : bytes.map { String($0) }
    return labels.reversed().joined(separator: ".")
  }

  /// Where its PTR record is.
  public var reverseName: String { reversedLabels + (isSix ? ".ip6.arpa" : ".in-addr.arpa") }

  /// Whether the first bits are those of a network.
  public func isWithin(_ network: IPAddress, prefix: Int) -> Bool {
    guard bytes.count == network.bytes.count, (0...bytes.count * 8).contains(prefix) else { return false }
    for index in 0..<(prefix / 8) where bytes[index] != network.bytes[index] { return false }
    guard prefix % 8 > 0 else { return true }
    let mask = UInt8(truncatingIfNeeded: 0xff00 >> (prefix % 8))
    return bytes[prefix / 8] & mask == network.bytes[prefix / 8] & mask
  }

  /// 127.0.0.0/8, ::1 and what is for one link only.
  public var isLoopback: Bool {
    let networks = isSix ? [("::", 127), ("fe80::", 10)] : [("127.0.0.0", 8), ("169.254.0.0", 16)]
    return networks.contains { network, prefix in IPAddress(network).map { isWithin($0, prefix: prefix) } ?? false }
  }

  /// What nobody in the Internet can connect to: loopback, link-local and private networks, and those of providers' own (RFC 1918, 3927,
  /// 4193, 6598).
  public var isPrivate: Bool {
    let networks =
      isSix
      ? [("::", 127), ("fe80::", 10), ("fc00::", 7), ("ff00::", 8)]
      : [
        ("0.0.0.0", 8), ("10.0.0.0", 8), ("100.64.0.0", 10), ("127.0.0.0", 8), ("169.254.0.0", 16),
        ("172.16.0.0", 12), ("192.168.0.0", 16), ("224.0.0.0", 3),
      ]
    return networks.contains { network, prefix in
      IPAddress(network).map { isWithin($0, prefix: prefix) } ?? false
    }
  }

  public static func < (one: IPAddress, other: IPAddress) -> Bool {
    one.bytes.count == other.bytes.count
      ? one.bytes.lexicographicallyPrecedes(other.bytes) : one.bytes.count < other.bytes.count
  }
}
