import COpenSSL

/// Standard base64 with padding, one line (RFC 4648).
package func base64(_ bytes: [UInt8]) -> String {
  var text = [UInt8](repeating: 0, count: (bytes.count + 2) / 3 * 4 + 1)
  let count = EVP_EncodeBlock(&text, bytes, Int32(bytes.count))
  return String(decoding: text.prefix(Int(max(0, count))), as: UTF8.self)
}

/// What base64 stands for, white space in it left aside; nil when it is none.
package func decodedBase64(_ text: String) -> [UInt8]? {
  var text = text
  return text.withUTF8 { bytes in
    guard let decoded = decodeBase64(secret: UnsafeRawBufferPointer(bytes)) else { return nil }
    return Array(decoded.contents)
  }
}

/// Decodes base64 in which white space may stand anywhere, as in key files; nil when it is none.
func decodeBase64(secret text: UnsafeRawBufferPointer) -> WipedBytes? {
  var compact = WipedBytes(capacity: text.count)
  for byte in text where !isBlank(byte) {
    compact.storage[compact.count] = byte
    compact.count += 1
  }
  guard compact.count > 0, compact.count % 4 == 0 else { return nil }
  var decoded = WipedBytes(capacity: compact.count / 4 * 3)
  let count = EVP_DecodeBlock(
    decoded.storage.assumingMemoryBound(to: UInt8.self).baseAddress,
    compact.contents.assumingMemoryBound(to: UInt8.self).baseAddress, Int32(compact.count))
  guard count >= 0 else { return nil }
  // It counts what padding stands for as zero bytes.
  let padding = compact.contents.suffix(2).count { $0 == UInt8(ascii: "=") }
  decoded.count = max(0, Int(count) - padding)
  return decoded
}

/// ASCII white space.
func isBlank(_ byte: UInt8) -> Bool {
  byte == 0x20 || (0x09...0x0d).contains(byte)
}
