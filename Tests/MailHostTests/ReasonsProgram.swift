import Foundation
import TestSupport

/// One run of the built `mailhost`.
struct MailhostRun {
  let status: Int32
  let output: String
  let complaint: String

  var lines: [String] { output.split(separator: "\n").map(String.init) }

  init(_ arguments: [String]) throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: try builtProgram("mailhost"))
    process.arguments = arguments
    process.environment = ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"]
    process.standardInput = FileHandle.nullDevice
    // Files, as two pipes would have to be read at once.
    let directory = try TemporaryDirectory()
    let files = [try directory.write("out", ""), try directory.write("err", "")]
    let handles = try files.map { try FileHandle(forWritingTo: URL(fileURLWithPath: $0)) }
    (process.standardOutput, process.standardError) = (handles[0], handles[1])
    try process.run()
    process.waitUntilExit()
    status = process.terminationStatus
    output = try String(contentsOfFile: files[0], encoding: .utf8)
    complaint = try String(contentsOfFile: files[1], encoding: .utf8)
  }

  /// `mailhost explain` with the templates of this repository, for Debian 12.
  static func explain(_ arguments: String..., settings: String? = neededSettings) throws -> MailhostRun {
    let directory = try TemporaryDirectory()
    let file = try settings.map { ["--config", try directory.write("mailhost.toml", $0)] } ?? []
    let templates = repositoryFile("templates").path
    return try MailhostRun(["explain", "--templates", templates, "--for", "debian=12"] + file + arguments)
  }
}
