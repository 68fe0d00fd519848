import Foundation
import MailbootCore
import TestSupport
import Testing

/// A LUKS volume in a file in memory, where a test writes as often as it likes, made and read by cryptsetup itself.
final class KeyImage {
  private let directory: TemporaryDirectory
  let path: String

  /// - Parameter passphrases: opened by each, in this order.
  init(_ passphrases: [String] = ["right"], type: String = "luks2") throws {
    directory = try TemporaryDirectory(in: "/dev/shm")
    path = directory.file("volume")
    try Self.shell("truncate -s 4M \(path)")
    let first = try secret(passphrases[0])
    // A small header: it is copied for each cut.
    let size = type == "luks2" ? "--luks2-keyslots-size 1M --offset 4096" : ""
    try Self.shell(
      "cryptsetup luksFormat -q --type \(type) \(size) \(Self.cheap) \(path) --key-file \(first) 2>/dev/null")
    for passphrase in passphrases.dropFirst() { try addByCryptsetup(passphrase, openedBy: passphrases[0]) }
  }

  private static let cheap = "--pbkdf-force-iterations 1000 --pbkdf pbkdf2"
  static let cost = KeyDerivationCost(iterations: 1000)

  func addByCryptsetup(_ passphrase: String, openedBy other: String) throws {
    try Self.shell(
      "cryptsetup luksAddKey -q \(Self.cheap) --key-file \(secret(other)) \(path) \(secret(passphrase))")
  }

  /// A file with exactly these bytes.
  func secret(_ text: String) throws -> String {
    try directory.write("secret-\(text.utf8.reduce(0) { $0 &* 31 &+ Int($1) })", text, mode: 0o600)
  }

  func file(_ name: String) -> String { directory.file(name) }

  /// Whether cryptsetup opens it.
  func opens(_ passphrase: String) throws -> Bool {
    try Self.status("cryptsetup open --test-passphrase \(path) --key-file \(secret(passphrase)) 2>/dev/null") == 0
  }

  /// What cryptsetup reads in it.
  func dump() throws -> String { try Self.shell("cryptsetup luksDump \(path)") }

  /// The salt of a keyslot's derivation.
  func salt(_ keyslot: Int) throws -> String {
    let text = try Self.shell("cryptsetup luksDump --dump-json-metadata \(path)")
    let metadata = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
    let slot = (metadata?["keyslots"] as? [String: [String: Any]])?["\(keyslot)"]
    return try #require((slot?["kdf"] as? [String: Any])?["salt"] as? String)
  }

  func bytes() throws -> Data { try Data(contentsOf: URL(fileURLWithPath: path)) }

  func put(_ bytes: Data) throws { try bytes.write(to: URL(fileURLWithPath: path)) }

  // MARK: Our worker

  var change: KeyChangeRequest { KeyChangeRequest(device: path, header: nil, memoryLimitKiB: nil, cost: Self.cost) }

  func change(_ verb: String, _ existing: String, _ new: String) throws -> KeyChangeReply {
    try ask(verb, change, existing, new)
  }

  func remove(_ keyslot: Int) throws -> RemoveKeyReply {
    try ask("remove-key", RemoveKeyRequest(device: path, header: nil, keyslot: keyslot))
  }

  func table() throws -> KeyTable {
    let reply: KeyTableReply = try ask("key-table", KeyTableRequest(device: path, header: nil))
    guard case .table(let table) = reply else { throw CocoaError(.coderInvalidValue) }
    return table
  }

  func ask<Reply: Decodable>(
    _ verb: String, _ request: some Encodable, _ first: String = "", _ second: String = ""
  ) throws -> Reply {
    let output = try Self.shell(command(verb, request, first, second))
    return try JSONDecoder().decode(Reply.self, from: Data(output.utf8))
  }

  /// The worker, with its request and secrets in place; `before` goes before it.
  func command(
    _ verb: String, _ request: some Encodable, _ first: String, _ second: String, before: String = ""
  ) throws -> String {
    let requestFile = directory.file("request")
    try JSONEncoder().encode(request).write(to: URL(fileURLWithPath: requestFile))
    return try "\(before) \(WorkerProcess.path) \(verb) <\(requestFile) 3<\(secret(first)) 4<\(secret(second))"
  }

  // MARK: -

  /// Runs it, and gives its output.
  @discardableResult
  static func shell(_ script: String) throws -> String {
    let (status, output) = try run(script)
    #expect(status == 0, "\(script): \(status) \(output)")
    return output
  }

  static func status(_ script: String) throws -> Int32 { try run(script).status }

  private static func run(_ script: String) throws -> (status: Int32, output: String) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments = ["-c", script]
    process.standardInput = FileHandle.nullDevice
    let pipe = Pipe()
    process.standardOutput = pipe
    try process.run()
    let output = try pipe.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    return (
      process.terminationReason == .exit ? process.terminationStatus : 128 + process.terminationStatus,
      String(decoding: output, as: UTF8.self)
    )
  }
}
