import AgeFile
import Foundation
import Linux
import SecretMemory
import TestSupport
import Testing

/// Against Debian's age(1), in both directions.
struct WitnessTests {
  private static let age = "/usr/bin/age"
  /// None; one byte; around one chunk; around two.
  static let sizes = [0, 1, 65535, 65536, 65537, 131072, 200_000]

  private let directory: TemporaryDirectory
  private let identity: String
  private let recipient: String

  init() throws {
    directory = try TemporaryDirectory()
    identity = directory.file("key.txt")
    let said = try output(["/usr/bin/age-keygen", "-o", identity])
    recipient = String(said.split(separator: " ").last ?? "").trimmingCharacters(in: .whitespacesAndNewlines)
  }

  private func plain(_ size: Int) -> [UInt8] { (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) } }

  @Test(arguments: sizes)
  func ageOpensOurs(_ size: Int) throws {
    let path = directory.file("ours.age")
    try encrypt(plain(size), to: path, [try AgeRecipient(recipient)])
    try output(["/bin/sh", "-c", "\(Self.age) -d -i \(identity) \(path) > \(directory.file("plain"))"])
    #expect(FileManager.default.contents(atPath: directory.file("plain")) == Data(plain(size)))
  }

  @Test(arguments: sizes)
  func weOpenThatOfAge(_ size: Int) throws {
    let plain = try directory.write("plain", Data(plain(size)))
    let path = directory.file("theirs.age")
    // For somebody else first.
    let other = try output(["/usr/bin/age-keygen", "-o", directory.file("other.txt")])
    let words = other.split(whereSeparator: \.isWhitespace)
    try output([Self.age, "-r", String(try #require(words.last)), "-r", recipient, "-o", path, plain])
    #expect(try decrypt(path) == self.plain(size))
  }

  @Test func eachOfSeveralRecipientsOpensIt() throws {
    try output(["/usr/bin/age-keygen", "-o", directory.file("other.txt")])
    let other = try output(["/usr/bin/age-keygen", "-y", directory.file("other.txt")])
    let path = directory.file("ours.age")
    try encrypt(
      [1, 2, 3], to: path,
      [AgeRecipient(other.trimmingCharacters(in: .whitespacesAndNewlines)), AgeRecipient(recipient)])
    for file in [identity, directory.file("other.txt")] {
      try output([Self.age, "-d", "-i", file, "-o", directory.file("plain"), path])
      #expect(FileManager.default.contents(atPath: directory.file("plain")) == Data([1, 2, 3]))
    }
  }

  /// age asks for passphrases at a terminal only.
  @Test func passphrasesGoBothWays() throws {
    let ours = directory.file("ours.age")
    try encrypt(Array("hello".utf8), to: ours, passphrase: "correct horse", workFactor: 12)
    try terminal("\(Self.age) -d -o \(directory.file("plain")) \(ours)", answers: ["correct horse"])
    #expect(FileManager.default.contents(atPath: directory.file("plain")) == Data("hello".utf8))

    let theirs = directory.file("theirs.age")
    try terminal(
      "\(Self.age) -p -o \(theirs) \(directory.file("plain"))", answers: ["correct horse", "correct horse"])
    let descriptor = open(theirs, O_RDONLY)
    defer { close(descriptor) }
    let sealed = try SealedAgeFile(from: descriptor)
    #expect(sealed.takesPassphrase)
    #expect(throws: AgeError.noMatch) {
      _ = try sealed.opened(passphrase: secret("wrong horse"))
    }
    // Its key takes 256 MiB.
    #expect(throws: AgeError.noMemory(256 << 20)) {
      _ = try sealed.opened(passphrase: secret("correct horse"), memory: (256 << 20) - 1)
    }
    var reader = try sealed.opened(passphrase: secret("correct horse"), memory: 256 << 20)
    #expect(try reader.next() == Array("hello".utf8))
    #expect(try reader.next().isEmpty)
  }

  private func terminal(_ command: String, answers: [String]) throws {
    // What is typed ahead waits for its question.
    let typed = answers.map { "\($0)\\n" }.joined()
    let ended = directory.file("ended")
    try output([
      "/bin/sh", "-c",
      """
      rm -f \(ended)
      { printf '\(typed)'; n=0; while [ ! -e \(ended) ] && [ $n -lt 300 ]; do n=$((n+1)); sleep 0.1; done; } |
        script -qec '\(command); status=$?; touch \(ended); exit $status' /dev/null
      """,
    ])
  }

  @Test func whateverIsCutOrAlteredIsNoticed() throws {
    let path = directory.file("ours.age")
    try encrypt(plain(70_000), to: path, [try AgeRecipient(recipient)])
    let whole = try Data(contentsOf: URL(fileURLWithPath: path))
    let header = try #require(whole.range(of: Data("\n--- ".utf8))).upperBound + 44
    let boundaries = [header, header + 16, header + 16 + sealedChunk, whole.count]
    let cuts = Set((0..<header + 20) + boundaries.flatMap { [$0 - 1, $0, $0 + 1] } + [header + 5000]).filter {
      $0 < whole.count
    }
    for cut in cuts.sorted() {
      try directory.write("cut.age", whole.prefix(cut))
      #expect(throws: AgeError.self, "\(cut)") { try decrypt(directory.file("cut.age")) }
    }
    #expect(throws: AgeError.cutShort) {
      try directory.write("cut.age", whole.prefix(header + 16 + sealedChunk))
      _ = try decrypt(directory.file("cut.age"))
    }
    #expect(throws: AgeError.trailing) {
      // As long as a whole chunk, what was the last is looked at alone.
      try encrypt(plain(65536), to: path, [try AgeRecipient(recipient)])
      try directory.write("long.age", try Data(contentsOf: URL(fileURLWithPath: path)) + Data([0]))
      _ = try decrypt(directory.file("long.age"))
    }
    let places = Array(0..<header + 20) + stride(from: header + 20, to: whole.count, by: 997) + [whole.count - 1]
    for place in places {
      var altered = whole
      altered[place] ^= 1
      try directory.write("altered.age", altered)
      #expect(throws: AgeError.self, "\(place)") { try decrypt(directory.file("altered.age")) }
    }
  }

  @Test(arguments: [
    "", "age1", "AGE1QQQ", "age1zzz", "ssh-ed25519 AAAA",
    // One letter of a right one changed, and in capitals.
    "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8q",
    "AGE1QL3Z7HJY54PW3HYWW5AYYFG7ZQGVC7W3J2ELW8ZMRJ2KG5SFN9AQMCAC8P",
  ])
  func whatIsNoRecipientIsRefused(_ text: String) {
    #expect(throws: AgeError.self) { try AgeRecipient(text) }
  }

  @Test func aRecipientIsReadAsItIsWritten() throws {
    _ = try AgeRecipient("age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p")
    #expect(throws: AgeError.key("there is no secret key in it")) { _ = try AgeIdentities(file: secret("# none\n")) }
    let said = #expect(throws: AgeError.self) {
      _ = try AgeIdentities(file: secret("# x\nAGE-SECRET-KEY-1SECRETSECRET\n"))
    }
    #expect(said?.description.contains("line 2") == true)
    #expect(said?.description.contains("SECRETSECRET") == false)
  }

  // MARK: Help

  private let sealedChunk = 65536 + 16

  private func encrypt(_ bytes: [UInt8], to path: String, _ recipients: [AgeRecipient]) throws {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    defer { close(descriptor) }
    try write(bytes, to: AgeWriter(to: descriptor, recipients: recipients))
  }

  private func encrypt(_ bytes: [UInt8], to path: String, passphrase: String, workFactor: Int) throws {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    defer { close(descriptor) }
    try write(bytes, to: AgeWriter(to: descriptor, passphrase: secret(passphrase), workFactor: workFactor))
  }

  /// In uneven pieces.
  private func write(_ bytes: [UInt8], to writer: consuming AgeWriter) throws {
    var rest = bytes[...]
    while !rest.isEmpty {
      try writer.write(Array(rest.prefix(7001)))
      rest = rest.dropFirst(7001)
    }
    try writer.finish()
  }

  @discardableResult
  private func decrypt(_ path: String) throws -> [UInt8] {
    let file = try secret(Array(Data(contentsOf: URL(fileURLWithPath: identity))))
    let identities = try AgeIdentities(file: file)
    let descriptor = open(path, O_RDONLY)
    defer { close(descriptor) }
    var reader = try SealedAgeFile(from: descriptor).opened(identities)
    var plain: [UInt8] = []
    while true {
      let piece = try reader.next()
      if piece.isEmpty { return plain }
      plain += piece
    }
  }
}
