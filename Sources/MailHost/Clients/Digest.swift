import COpenSSL

/// SHA-256 (FIPS 180-4) of a text's UTF-8, 32 bytes.
func sha256(_ text: String) -> [UInt8] { sha256(Array(text.utf8)) }

func sha256(_ bytes: [UInt8]) -> [UInt8] {
  var digest = [UInt8](repeating: 0, count: 32)
  EVP_Digest(bytes, bytes.count, &digest, nil, EVP_sha256(), nil)
  return digest
}

/// Two digits for each byte.
func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
  bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}

/// A UUID that follows from a text: version 8 (RFC 9562, 5.8), the first 16 bytes of its SHA-256.
///
/// A random one would make another profile of the same account each time: a device would then have it twice.
func stableUUID(_ text: String) -> String {
  var bytes = Array(sha256(text).prefix(16))
  bytes[6] = bytes[6] & 0x0f | 0x80
  bytes[8] = bytes[8] & 0x3f | 0x80
  let digits = Array(hexadecimal(bytes).uppercased())
  return [0..<8, 8..<12, 12..<16, 16..<20, 20..<32].map { String(digits[$0]) }.joined(separator: "-")
}
