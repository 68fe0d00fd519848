import CPassword
import SecretMemory

/// Argon2 by its reference implementation, which wipes its working memory itself.
enum Argon2Hash {
  /// A new encoded hash, `$argon2id$v=19$…`.
  static func make(
    _ password: borrowing SecretBytes, memory kibibytes: UInt32, passes: UInt32
  ) throws(PasswordError) -> String {
    let salt = try randomSalt()
    let tagLength = 32
    let length = argon2_encodedlen(passes, kibibytes, 1, UInt32(salt.count), UInt32(tagLength), Argon2_id)
    var encoded = [CChar](repeating: 0, count: length)
    let code = password.withUnsafeBytes { bytes in
      argon2_hash(
        passes, kibibytes, 1, bytes.baseAddress, bytes.count, salt, salt.count, nil, tagLength, &encoded, length,
        Argon2_id, UInt32(ARGON2_VERSION_13.rawValue))
    }
    guard code == ARGON2_OK.rawValue else { throw failure(code) }
    return String(decoding: encoded.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  /// Whether an encoded hash is that of the password; the comparison takes constant time.
  static func matches(
    _ password: borrowing SecretBytes, encoded: String, type: argon2_type
  ) throws(PasswordError) -> Bool {
    let code = password.withUnsafeBytes { argon2_verify(encoded, $0.baseAddress, $0.count, type) }
    switch code {
    case ARGON2_OK.rawValue: return true
    case ARGON2_VERIFY_MISMATCH.rawValue: return false
    default: throw failure(code)
    }
  }

  private static func failure(_ code: Int32) -> PasswordError {
    .hashingFailed("argon2: \(String(cString: argon2_error_message(code)))")
  }
}

/// The parameters in an encoded Argon2 hash, `$argon2id$v=19$m=19456,t=2,p=1$SALT$TAG`.
struct Argon2Parameters {
  var type: argon2_type
  /// 16 or 19; the former has a known weakness.
  var version: Int
  /// KiB.
  var memory: Int
  var passes: Int
  var lanes: Int
  /// Octets.
  var tagLength: Int

  init?(encoded: String) {
    var fields = encoded.split(separator: "$", omittingEmptySubsequences: false)[...]
    guard fields.popFirst() == "" else { return nil }
    switch fields.popFirst() {
    case "argon2id": type = Argon2_id
    case "argon2i": type = Argon2_i
    default: return nil
    }
    version = 16
    if let text = fields.first, text.hasPrefix("v=") {
      guard let number = Int(text.dropFirst(2)) else { return nil }
      version = number
      fields.removeFirst()
    }
    guard fields.count == 3, [16, 19].contains(version) else { return nil }
    let costs = fields.removeFirst().split(separator: ",", omittingEmptySubsequences: false)
    guard costs.count == 3, costs[0].hasPrefix("m="), costs[1].hasPrefix("t="), costs[2].hasPrefix("p="),
      let memory = Int(costs[0].dropFirst(2)), let passes = Int(costs[1].dropFirst(2)),
      let lanes = Int(costs[2].dropFirst(2)),
      // argon2_verify would allocate whatever it reads here.
      (8...1_048_576).contains(memory), (1...10_000).contains(passes), (1...255).contains(lanes),
      fields.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy(\.isBase64) })
    else { return nil }
    self.memory = memory
    self.passes = passes
    self.lanes = lanes
    tagLength = fields.last!.utf8.count * 3 / 4
  }
}

extension UInt8 {
  fileprivate var isBase64: Bool {
    lowerCased.isLowerCaseLetter || isDigit || self == UInt8(ascii: "+") || self == UInt8(ascii: "/")
  }
}
