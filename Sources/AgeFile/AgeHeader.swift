/// What stands before the encrypted bytes: for each that may open the file the file's key, encrypted for it.
struct AgeHeader {
  struct Stanza: Equatable {
    /// The kind first: `X25519`, `scrypt`.
    var arguments: [String]
    var body: [UInt8]
  }

  static let version = "age-encryption.org/v1"
  /// More than hundreds of recipients take.
  private static let limit = 1 << 20

  var stanzas: [Stanza]
  /// What the code is made over: up to `---`.
  private(set) var text: [UInt8]
  private(set) var code: [UInt8] = []

  init(_ stanzas: [Stanza]) {
    self.stanzas = stanzas
    text = Array((Self.version + "\n").utf8)
    for stanza in stanzas {
      text += Array("-> \(stanza.arguments.joined(separator: " "))\n".utf8)
      let body = Base64.text(stanza.body)
      // The last line is shorter than 64, and may be empty.
      for start in stride(from: 0, through: body.count, by: 64) { text += body[start...].prefix(64) + [0x0a] }
    }
    text += Array("---".utf8)
  }

  /// Reads it up to the encrypted bytes.
  init(reading input: inout AgeInput) throws(AgeError) {
    guard try input.take(Self.version.utf8.count + 1) == Array((Self.version + "\n").utf8) else { throw .notAge }
    stanzas = []
    text = Array((Self.version + "\n").utf8)
    while true {
      let line = try Self.line(&input)
      if line.starts(with: Array("---".utf8)) {
        guard line.count == 47, line[3] == 0x20, let code = Base64.bytes(line[4...]) else {
          throw .header("its last line is none")
        }
        text += Array("---".utf8)
        self.code = code
        break
      }
      text += line + [0x0a]
      guard line.starts(with: Array("-> ".utf8)) else { throw .header("a stanza begins with something else than ->") }
      let arguments = line[3...].split(separator: 0x20, omittingEmptySubsequences: false)
      guard arguments.allSatisfy({ !$0.isEmpty && $0.allSatisfy { (33...126).contains($0) } }) else {
        throw .header("a stanza has an empty argument, or one with other characters")
      }
      stanzas.append(
        Stanza(arguments: arguments.map { String(decoding: $0, as: UTF8.self) }, body: try readBody(&input)))
    }
    guard !stanzas.isEmpty else { throw .header("it is for nobody") }
    if stanzas.count > 1, stanzas.contains(where: { $0.arguments[0] == "scrypt" }) {
      throw .header("a passphrase is not alone")
    }
  }

  private mutating func readBody(_ input: inout AgeInput) throws(AgeError) -> [UInt8] {
    var body: [UInt8] = []
    while true {
      let line = try Self.line(&input)
      text += line + [0x0a]
      guard text.count <= Self.limit else { throw .header("it is too long") }
      guard line.count <= 64, let bytes = Base64.bytes(line) else { throw .header("a stanza's body is no base64") }
      body += bytes
      if line.count < 64 { return body }
    }
  }

  private static func line(_ input: inout AgeInput) throws(AgeError) -> [UInt8] {
    guard let line = try input.line(limit: 65536) else { throw .header("it does not end") }
    return line
  }
}
