import Foundation
import TestSupport
import Testing

/// `mailboot` as it is called.
struct ProgramTests {
  private struct Run {
    var status: Int32
    var output: String
    var complaint: String
  }

  private func run(_ program: String, _ arguments: [String]) throws -> Run {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    process.environment = ["PATH": "/usr/bin:/bin", "LC_ALL": "C"]
    let (output, complaint) = (Pipe(), Pipe())
    (process.standardOutput, process.standardError) = (output, complaint)
    process.standardInput = FileHandle.nullDevice
    try process.run()
    let said = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    let complained = String(decoding: complaint.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return Run(status: process.terminationStatus, output: said, complaint: complained)
  }

  @Test func itSaysItsVersionAndItsConfiguration() throws {
    let version = try run(builtProgram("mailboot"), ["--version"])
    #expect(version.status == 0 && version.output.hasPrefix("mailboot "))
    #expect(try run(builtProgram("mailboot"), ["config", "show"]).output.contains("[vault]\n"))
  }

  @Test(arguments: [
    (["lock", "--timeout", "0"], "mailboot lock --help"), (["--emergency"], "mailboot lock --help"),
    (["lock", "--emergency", "--kill"], "mailboot lock --help"), (["--timeout", "x"], "mailboot unlock --help"),
    (["statsu"], "mailboot --help"), (["status", "--format", "xml"], "mailboot status --help"),
    (["config", "chek"], "mailboot config --help"),
  ])
  func aCallThatIsNotUnderstoodNamesTheHelpForIt(_ arguments: [String], _ help: String) throws {
    let run = try run(builtProgram("mailboot"), arguments)
    #expect(run.status == 64)
    #expect(run.complaint.hasSuffix("hint: see `\(help)`\n"), "\(run.complaint)")
    #expect(run.output.isEmpty)
  }

  @Test func asALoginShellItKnowsTwoVerbs() throws {
    let program = try builtProgram("mailboot")
    let shell = try run("/bin/bash", ["-c", #"exec -a -mailboot "$0" -c 'rm -rf /'"#, program])
    #expect(shell.status == 64 && shell.complaint.contains(#"this login cannot run "rm -rf /""#))
    let status = try run("/bin/bash", ["-c", #"exec -a -mailboot "$0" -c 'mailboot status --format json'"#, program])
    #expect(status.output.hasPrefix("{\n  \"schema\": 1,\n"))
  }
}
