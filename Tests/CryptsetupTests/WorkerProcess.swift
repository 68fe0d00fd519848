import Foundation
import Linux
import TestSupport
import Testing

/// The built `mailboot-worker`, run as `mailboot` runs it.
enum WorkerProcess {
  struct Run {
    var status: Int32
    var output: Data
    var complaint: String
  }

  static var path: String { get throws { try builtProgram("mailboot-worker") } }

  /// Runs a verb to its end, which must come within a minute.
  ///
  /// - Parameter passphrase: a file for descriptor 3.
  static func run(_ verb: String, request: Data, passphrase: String? = nil) throws -> Run {
    let process = Process()
    // A file, not a pipe: a worker that ends without reading would have SIGPIPE end the tests.
    let input = NSTemporaryDirectory() + "request-" + UUID().uuidString
    try request.write(to: URL(fileURLWithPath: input))
    defer { try? FileManager.default.removeItem(atPath: input) }
    let output = Pipe()
    let complaint = Pipe()
    // The shell only puts the passphrase on descriptor 3.
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments = ["-c", #"exec "$0" "$1" 3<"$2""#, try path, verb, passphrase ?? "/dev/null"]
    process.standardInput = try FileHandle(forReadingFrom: URL(fileURLWithPath: input))
    process.standardOutput = output
    process.standardError = complaint
    try process.run()
    let reply = try output.fileHandleForReading.readToEnd() ?? Data()
    let text = try complaint.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    return Run(status: process.terminationStatus, output: reply, complaint: String(decoding: text, as: UTF8.self))
  }

  /// Runs a verb and decodes its reply.
  static func ask<Request: Encodable, Reply: Decodable>(
    _ verb: String, _ request: Request, passphrase: String? = nil
  ) throws -> Reply {
    let run = try run(verb, request: JSONEncoder().encode(request), passphrase: passphrase)
    #expect(run.status == 0 && run.complaint == "")
    #expect(run.output.filter { $0 == 0x0A }.count == 1 && run.output.last == 0x0A, "one line")
    return try JSONDecoder().decode(Reply.self, from: run.output)
  }
}
