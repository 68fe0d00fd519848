import Foundation
import MailHost
import TestSupport

/// Where users of the host of all these tests connect to.
let testServers = ClientServers(HostSettings(hostName: "mail.example.org", administrator: "alice@example.org"))

/// What would end a tag, an attribute, a line, a block, or the whole file, if it were taken as it is.
let hostileName = "a\"b'<c>&d;{e}\u{1}\r\nf.example"

/// Runs a program of the system, with a text as its input.
func run(_ path: String, _ arguments: [String], input: Data = Data()) throws -> (
  status: Int32, output: Data, said: String
) {
  let directory = try TemporaryDirectory()
  let files = try ["in": input, "out": Data(), "err": Data()].mapValues { $0 }.map { name, data in
    (name, try directory.write(name, data))
  }
  let paths = Dictionary(uniqueKeysWithValues: files)
  let process = Process()
  process.executableURL = URL(fileURLWithPath: path)
  process.arguments = arguments
  process.standardInput = try FileHandle(forReadingFrom: URL(fileURLWithPath: paths["in"] ?? ""))
  process.standardOutput = try FileHandle(forWritingTo: URL(fileURLWithPath: paths["out"] ?? ""))
  process.standardError = try FileHandle(forWritingTo: URL(fileURLWithPath: paths["err"] ?? ""))
  try process.run()
  process.waitUntilExit()
  return (
    process.terminationStatus, try Data(contentsOf: URL(fileURLWithPath: paths["out"] ?? "")),
    try String(contentsOfFile: paths["err"] ?? "", encoding: .utf8)
  )
}

/// What is at an XPath of a text, by xmllint.
func xpath(_ path: String, in text: String, html: Bool = false) throws -> String {
  let said = try run(
    "/usr/bin/xmllint", (html ? ["--html"] : []) + ["--nonet", "--xpath", path, "-"], input: Data(text.utf8))
  return String(decoding: said.output, as: UTF8.self).trimmingCharacters(in: .newlines)
}
