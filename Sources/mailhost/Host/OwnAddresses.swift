import Glibc
import Linux
import MailHost

/// The addresses of this host's network interfaces, in order, without those of this machine alone.
///
/// Those of IPv6 that change by themselves for privacy (RFC 8981) cannot be told apart here: their mark is not in what `getifaddrs(3)` says.
/// `/proc/net/if_inet6` has it.
func ownAddresses() -> [IPAddress] {
  var first: UnsafeMutablePointer<ifaddrs>?
  guard getifaddrs(&first) == 0 else { return [] }
  defer { freeifaddrs(first) }
  let passing = passingAddresses()
  var found: Set<IPAddress> = []
  var next = first
  while let entry = next?.pointee {
    next = entry.ifa_next
    guard let address = entry.ifa_addr else { continue }
    let family = Int32(address.pointee.sa_family)
    guard family == AF_INET || family == AF_INET6 else { continue }
    let length = family == AF_INET ? MemoryLayout<sockaddr_in>.size : MemoryLayout<sockaddr_in6>.size
    var buffer = [CChar](repeating: 0, count: Int(NI_MAXHOST))
    guard
      getnameinfo(address, socklen_t(length), &buffer, socklen_t(buffer.count), nil, 0, NI_NUMERICHOST) == 0
    else { continue }
    let text = String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    guard let own = IPAddress(text), !own.isLoopback, !passing.contains(own) else { continue }
    found.insert(own)
  }
  return found.sorted()
}

/// Addresses of IPv6 that are temporary, deprecated or not yet usable.
private func passingAddresses() -> Set<IPAddress> {
  // IFA_F_TEMPORARY, IFA_F_DADFAILED, IFA_F_DEPRECATED, IFA_F_TENTATIVE (linux/if_addr.h).
  let marks = 0x01 | 0x08 | 0x20 | 0x40
  var found: Set<IPAddress> = []
  for line in (readSmallText("/proc/net/if_inet6") ?? "").split(separator: "\n") {
    let words = line.split(separator: " ")
    guard words.count == 6, words[0].count == 32, let flags = Int(words[4], radix: 16), flags & marks != 0 else {
      continue
    }
    let digits = Array(words[0])
    let groups = stride(from: 0, to: 32, by: 4).map { String(digits[$0..<$0 + 4]) }
    if let address = IPAddress(groups.joined(separator: ":")) { found.insert(address) }
  }
  return found
}
