import CLinux
import Glibc

/// A full host name or domain: at least two labels of letters, digits and hyphens.
func isHostName(_ text: String) -> Bool {
  let labels = text.split(separator: ".", omittingEmptySubsequences: false)
  return labels.count > 1 && text.utf8.count <= 253
    && labels.allSatisfy { label in
      (1...63).contains(label.utf8.count) && !label.hasPrefix("-") && !label.hasSuffix("-")
        && label.utf8.allSatisfy { isAlphanumeric($0) || $0 == UInt8(ascii: "-") }
    }
}

/// `local@domain`, as it can stand in every file that is written from it.
func isAddress(_ text: String) -> Bool {
  let parts = text.split(separator: "@", omittingEmptySubsequences: false)
  return parts.count == 2 && (1...64).contains(parts[0].utf8.count) && isHostName(String(parts[1]))
    && parts[0].utf8.allSatisfy { isAlphanumeric($0) || ".-_+".utf8.contains($0) }
}

/// An address or a network with its prefix: `192.0.2.0/24`, `2001:db8::/48`.
func isNetwork(_ text: String) -> Bool {
  let parts = text.split(separator: "/", omittingEmptySubsequences: false)
  guard let address = parts.first, parts.count <= 2 else { return false }
  let isSix = address.contains(":")
  if parts.count == 2 {
    guard let length = Int(parts[1]), (0...(isSix ? 128 : 32)).contains(length) else { return false }
  }
  var number = in6_addr()
  return inet_pton(isSix ? AF_INET6 : AF_INET, String(address), &number) == 1
}

/// An absolute path that needs no quoting in any of the files: no spaces, quotes, variables of postfix or dovecot.
func isPlainPath(_ text: String) -> Bool {
  text.hasPrefix("/") && text.count > 1 && !text.hasSuffix("/") && !text.split(separator: "/").contains("..")
    && text.utf8.allSatisfy { isAlphanumeric($0) || "/.-_+".utf8.contains($0) }
}

func isFileName(_ text: String) -> Bool { isPlainPath("/" + text) && !text.contains("/") }

/// As dovecot writes it: `500M`, `2G`.
func isSize(_ text: String) -> Bool {
  guard let unit = text.last, "kMGT".contains(unit), let number = Int(text.dropLast()) else { return false }
  return number > 0
}

/// As redis writes it: `128mb`, `1gb`.
func isRedisSize(_ text: String) -> Bool {
  let digits = text.prefix { $0.isASCII && $0.isNumber }
  return Int(digits).map { $0 > 0 } ?? false
    && ["", "b", "k", "kb", "m", "mb", "g", "gb"].contains(text.dropFirst(digits.count).lowercased())
}

let redisPolicies = [
  "noeviction", "allkeys-lru", "allkeys-lfu", "allkeys-random", "volatile-lru", "volatile-lfu", "volatile-random",
  "volatile-ttl",
]

/// A parameter of postfix.
func isParameterName(_ text: String) -> Bool {
  !text.isEmpty && text.utf8.allSatisfy { isAlphanumeric($0) || $0 == UInt8(ascii: "_") }
}

/// A label in the DNS.
func isSelector(_ text: String, orNone: Bool) -> Bool {
  if text.isEmpty { return orNone }
  return text.utf8.count <= 63 && text.utf8.allSatisfy { isAlphanumeric($0) || "-_.".utf8.contains($0) }
}

private func isAlphanumeric(_ byte: UInt8) -> Bool {
  (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
}

/// A numeric address of either kind.
func isAddressNumber(_ text: String) -> Bool { !text.contains("/") && isNetwork(text) }
