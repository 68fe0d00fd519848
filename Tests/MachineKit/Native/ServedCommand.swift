import Foundation
import Synchronization

/// A command that runs in a native host: what it printed so far, and how it ended.
final class ServedCommand: Sendable {
  let pid: Int

  private let ending = Mutex<Result<CommandOutput, MachineError>?>(nil)

  /// Has it run.
  /// - Parameter input: what it reads; nothing when `nil`.
  init(_ command: String, input: Data?, on server: CommandServer) throws {
    let output = try Descriptor.pipe()
    let errors = try Descriptor.pipe()
    let source = try input.map { _ in try Descriptor.pipe() }
    let descriptors = [
      try source?.reading ?? Descriptor(path: "/dev/null", flags: O_RDONLY), output.writing, errors.writing,
    ]
    let (pid, connection) = try server.start(command, descriptors)
    self.pid = pid
    if let input, let source {
      Thread.detachNewThread {
        // Whoever ends without reading all of it does not want it; its pipe is broken then.
        var broken = sigset_t()
        sigemptyset(&broken)
        sigaddset(&broken, SIGPIPE)
        pthread_sigmask(SIG_BLOCK, &broken, nil)
        try? source.writing.writeAll(Array(input))
        source.writing.close()
      }
    }
    Thread.detachNewThread { [self] in
      let result = Result { try follow(connection, output.reading, errors.reading) }
        .mapError { $0 as? MachineError ?? MachineError(.host, "\($0)") }
      ending.withLock { $0 = result }
    }
  }

  /// Its output once it has ended, and nobody holds its outputs open any more.
  func result() throws -> CommandOutput? {
    try ending.withLock { $0 }?.get()
  }

  private func follow(_ connection: Descriptor, _ output: Descriptor, _ errors: Descriptor) throws -> CommandOutput {
    var collected: [[UInt8]] = [[], []]
    var status: Int32?
    var open = [connection, output, errors]
    while !open.isEmpty {
      for descriptor in try Descriptor.waitForInput(open) {
        let bytes = try descriptor.readSome()
        if descriptor === connection {
          guard let code = Int32(String(decoding: bytes, as: UTF8.self)) else {
            throw MachineError(.gone, "the host went off while a command ran")
          }
          status = code >= 0 ? code : 128 - code
          open.removeAll { $0 === connection }
        } else if bytes.isEmpty {
          open.removeAll { $0 === descriptor }
        } else {
          collected[descriptor === output ? 0 : 1] += bytes
        }
      }
    }
    guard let status else { throw MachineError(.gone, "the host went off while a command ran") }
    return CommandOutput(status: status, standardOutput: Data(collected[0]), standardError: Data(collected[1]))
  }
}
