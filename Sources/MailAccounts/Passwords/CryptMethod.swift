/// What crypt(3) does with a stored hash, told from its form. The form is checked where its length is fixed, so that a hash that
/// was cut off counts as unreadable.
struct CryptMethod {
  /// In dovecot's words where it has a name for it.
  var name: String
  var isStrong: Bool

  init?(hash: String) {
    let fields = hash.split(separator: "$", omittingEmptySubsequences: false)
    guard hash.utf8.allSatisfy({ (0x21..<0x7F).contains($0) && !":;*!\\".utf8.contains($0) }) else { return nil }
    guard fields.count > 1, fields[0].isEmpty else {
      self.init(traditional: hash)
      return
    }
    switch fields[1] {
    case "6": self.init(sha: fields.dropFirst(2), name: "SHA512-CRYPT", length: 86)
    case "5": self.init(sha: fields.dropFirst(2), name: "SHA256-CRYPT", length: 43)
    case "2a", "2b", "2x", "2y":
      // $2x$ is the one with the sign bug.
      guard fields.count == 4, fields[3].utf8.count == 53, let cost = Int(fields[2]) else { return nil }
      self.init(name: "BLF-CRYPT", isStrong: cost >= 10 && fields[1] != "2x")
    case "1":
      guard fields.count == 4, fields[3].utf8.count == 22 else { return nil }
      self.init(name: "MD5-CRYPT", isStrong: false)
    case "y", "gy":
      guard fields.count == 5, fields[4].utf8.count == 43 else { return nil }
      self.init(name: fields[1] == "y" ? "YESCRYPT" : "GOST-YESCRYPT", isStrong: true)
    case "7":
      guard fields.count == 4, fields[3].utf8.count == 43 else { return nil }
      self.init(name: "SCRYPT", isStrong: true)
    case "3": self.init(name: "NT", isStrong: false)
    case "sha1": self.init(name: "SHA1-CRYPT", isStrong: false)
    case let method where method.hasPrefix("md5"): self.init(name: "SUNMD5", isStrong: false)
    default: return nil
    }
  }

  private init(name: String, isStrong: Bool) {
    self.name = name
    self.isStrong = isStrong
  }

  /// DES in its two forms.
  private init?(traditional hash: String) {
    let isSalted = hash.utf8.allSatisfy {
      $0.lowerCased.isLowerCaseLetter || (UInt8(ascii: ".")...UInt8(ascii: "9")).contains($0)
    }
    if isSalted && hash.utf8.count == 13 {
      self.init(name: "DES-CRYPT", isStrong: false)
    } else if hash.hasPrefix("_") && hash.utf8.count == 20 {
      self.init(name: "BSDI-CRYPT", isStrong: false)
    } else {
      return nil
    }
  }

  private init?(sha fields: ArraySlice<Substring>, name: String, length: Int) {
    var fields = fields
    // What crypt(3) does when the hash does not say.
    var rounds = 5000
    if let text = fields.first, text.hasPrefix("rounds=") {
      guard let number = Int(text.dropFirst("rounds=".count)) else { return nil }
      rounds = number
      fields.removeFirst()
    }
    guard fields.count == 2, fields.last!.utf8.count == length else { return nil }
    // 5000, the default, is 1.3 ms today; ten times that is the least that still costs an attacker something.
    self.init(name: name, isStrong: rounds >= 50_000)
  }
}
