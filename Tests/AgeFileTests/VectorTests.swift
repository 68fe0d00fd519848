import AgeFile
import Foundation
import Linux
import SecretMemory
import TestSupport
import Testing

/// One of the published test vectors of the format.
struct AgeVector: CustomTestStringConvertible {
  var name: String
  var expected = ""
  var payload = ""
  var identities: [String] = []
  var passphrases: [String] = []
  var isCompressed = false
  var file = Data()

  var testDescription: String { name }

  init(_ name: String) throws {
    self.name = name
    var rest = try Data(contentsOf: repositoryFile("Tests/AgeFileTests/Vectors/\(name)"))
    while let end = rest.firstIndex(of: 0x0a) {
      let line = String(decoding: rest[..<end], as: UTF8.self)
      rest = Data(rest[(end + 1)...])
      if line.isEmpty { break }
      let value = line.split(separator: ":", maxSplits: 1).dropFirst().joined().trimmingCharacters(in: .whitespaces)
      switch line.split(separator: ":").first {
      case "expect": expected = value
      case "payload": payload = value
      case "identity": identities.append(value)
      case "passphrase": passphrases.append(value)
      case "compressed": isCompressed = true
      case "file key", "comment": break
      default: throw CocoaError(.fileReadCorruptFile, userInfo: [NSLocalizedDescriptionKey: line])
      }
    }
    file = isCompressed ? try inflated(rest) : rest
  }

  static let all: [AgeVector] = {
    let names = try? FileManager.default.contentsOfDirectory(
      atPath: repositoryFile("Tests/AgeFileTests/Vectors").path)
    return (names ?? []).filter { $0 != "README.md" }.sorted().compactMap { try? AgeVector($0) }
  }()
}

/// zlib's format, through perl, which every Debian has.
private func inflated(_ data: Data) throws -> Data {
  let directory = try TemporaryDirectory()
  let path = try directory.write("deflated", data)
  let perl = Process()
  perl.executableURL = URL(fileURLWithPath: "/usr/bin/perl")
  perl.arguments = [
    "-MCompress::Zlib", "-e", "local $/; open F, '<:raw', $ARGV[0]; binmode STDOUT; print uncompress(<F>)", path,
  ]
  let output = Pipe()
  perl.standardOutput = output
  try perl.run()
  let plain = output.fileHandleForReading.readDataToEndOfFile()
  perl.waitUntilExit()
  guard perl.terminationStatus == 0, !plain.isEmpty else { throw CocoaError(.fileReadCorruptFile) }
  return plain
}

struct VectorTests {
  @Test func allAreThere() {
    #expect(AgeVector.all.count == 92)
  }

  @Test(arguments: AgeVector.all)
  func eachEndsAsItIsToEnd(_ vector: AgeVector) throws {
    let directory = try TemporaryDirectory()
    let path = try directory.write("file.age", vector.file)
    var released = Data()
    var problem: AgeError?
    do {
      try decrypt(path, vector) { released += $0 }
    } catch let error as AgeError {
      problem = error
    }
    switch vector.expected {
    case "success": #expect(problem == nil)
    case "no match": #expect(problem == .noMatch)
    case "HMAC failure": #expect(problem == .alteredHeader)
    case "header failure":
      switch problem {
      case .header?, .notAge?, .workFactor?: break
      // To us these 16 bytes are no part of the header.
      case .cutShort? where vector.name.hasSuffix("_nonce"): break
      default: Issue.record("\(String(describing: problem))")
      }
    case "payload failure":
      #expect([.altered, .cutShort, .trailing].contains(problem))
    default: Issue.record("\(vector.expected)")
    }
    // What is not the end, or no end, is seen before the chunk is given out: less comes out then than may.
    let isLess = problem == .cutShort || problem == .trailing
    if !vector.payload.isEmpty, !isLess { #expect(digest(released) == vector.payload) }
    if vector.payload.isEmpty { #expect(released.isEmpty) }
  }

  private func decrypt(_ path: String, _ vector: AgeVector, _ take: ([UInt8]) -> Void) throws {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    defer { close(descriptor) }
    let sealed = try SealedAgeFile(from: descriptor)
    if let passphrase = vector.passphrases.first, sealed.takesPassphrase || vector.identities.isEmpty {
      try drain(try sealed.opened(passphrase: secret(passphrase)), take)
    } else {
      let identities = try AgeIdentities(file: secret(vector.identities.joined(separator: "\n")))
      try drain(try sealed.opened(identities), take)
    }
  }

  private func drain(_ reader: consuming AgeReader, _ take: ([UInt8]) -> Void) throws(AgeError) {
    while true {
      let piece = try reader.next()
      if piece.isEmpty { return }
      take(piece)
    }
  }

  private func digest(_ data: Data) -> String {
    let directory = try? TemporaryDirectory()
    guard let path = try? directory?.write("plain", data),
      let said = try? output(["/usr/bin/sha256sum", path])
    else { return "" }
    return String(said.prefix(64))
  }
}

/// In locked memory.
func secret(_ text: String) throws -> SecretBytes {
  try secret(Array(text.utf8))
}

func secret(_ bytes: [UInt8]) throws -> SecretBytes {
  var secret = try SecretBytes(capacity: max(1, bytes.count))
  for byte in bytes { try secret.append(byte) }
  return secret
}

/// What a program says that succeeds.
@discardableResult
func output(_ words: [String], input: Data? = nil) throws -> String {
  let process = Process()
  process.executableURL = URL(fileURLWithPath: words[0])
  process.arguments = Array(words.dropFirst())
  let (said, given) = (Pipe(), Pipe())
  process.standardOutput = said
  process.standardError = said
  process.standardInput = given
  try process.run()
  if let input { try? given.fileHandleForWriting.write(contentsOf: input) }
  try given.fileHandleForWriting.close()
  let text = String(decoding: said.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
  process.waitUntilExit()
  guard process.terminationStatus == 0 else {
    throw CocoaError(.executableLoad, userInfo: [NSLocalizedDescriptionKey: text])
  }
  return text
}
