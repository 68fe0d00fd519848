import Foundation

/// Runs tools of this host, such as `qemu-img`.
enum HostCommand {
  /// Runs a command to its end and returns what it printed on both its outputs.
  /// - Throws: ``MachineError`` with that output when it fails or takes too long.
  @discardableResult
  static func run(_ command: [String], timeout: Duration = .seconds(60)) throws -> String {
    let output = try unnamedFile()
    let copy = fcntl(output.number, F_DUPFD_CLOEXEC, 3)
    guard copy >= 0 else { throw MachineError.system("fcntl", code: errno) }
    let child = try ChildProcess(.init(command: command, output: Descriptor(copy)))
    let status = child.wait(until: Deadline(after: timeout))
    if status == nil { child.signal(SIGTERM) }

    lseek(output.number, 0, SEEK_SET)
    var bytes: [UInt8] = []
    while case let some = try output.readSome(), !some.isEmpty { bytes += some }
    let text = String(decoding: bytes, as: UTF8.self)
    guard status == 0 else {
      let ending = status.map { "failed with status \($0)" } ?? "did not end within \(timeout * Slowness.factor)"
      throw MachineError(.host, "\(command.joined(separator: " ")): \(ending)\n\(text.suffix(4000))")
    }
    return text
  }

  /// A file that is gone from the file system as soon as it is made.
  private static func unnamedFile() throws -> Descriptor {
    let path = NSTemporaryDirectory() + "/mailboot-machine." + UUID().uuidString
    let file = try Descriptor(path: path, flags: O_RDWR | O_CREAT | O_EXCL, mode: 0o600)
    unlink(path)
    return file
  }
}
