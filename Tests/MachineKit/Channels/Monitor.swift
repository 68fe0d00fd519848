import Foundation
import Synchronization

/// qemu's own control channel, QMP.
/// Source: qemu's QMP reference manual, version 7.2.
final class Monitor: Sendable {
  private let channel: LineChannel
  private let oneAtATime = Mutex(())

  /// - Parameter descriptor: a fresh connection to a monitor in control mode.
  /// - Throws: ``MachineError`` when qemu ends instead of greeting.
  init(_ descriptor: Descriptor) throws {
    channel = LineChannel(descriptor)
    _ = try execute("qmp_capabilities")
  }

  /// Executes a command without arguments whose answer does not matter.
  func execute(_ command: String) throws {
    let _: Nothing = try execute(command, Nothing())
  }

  /// Executes a command and waits for its answer; events on the way are dropped.
  func execute<Arguments: Encodable, Value: Decodable>(
    _ command: String, _ arguments: Arguments, timeout: Duration = .seconds(60)
  ) throws -> Value {
    let deadline = Deadline(after: timeout)
    return try oneAtATime.withLock { _ in
      try channel.send(Request(execute: command, arguments: arguments).line())
      while let line = try channel.receiveLine(until: deadline) {
        let answer = try JSONDecoder().decode(Answer<Value>.self, from: Data(line))
        if let error = answer.error { throw MachineError(.refused, "qemu: \(command): \(error.desc)") }
        if let value = answer.return { return value }
      }
      throw MachineError(.timedOut, "qemu did not answer \(command)")
    }
  }

  /// Executes a command of the monitor for people and returns what it prints: nothing, when it worked.
  func executeForPeople(_ line: String, timeout: Duration = .seconds(60)) throws -> String {
    struct Arguments: Encodable {
      let commandLine: String
      enum CodingKeys: String, CodingKey { case commandLine = "command-line" }
    }
    return try execute("human-monitor-command", Arguments(commandLine: line), timeout: timeout)
  }
}

extension Monitor {
  struct RunState: Decodable {
    let status: String
  }

  /// For instance `running`, `paused` or `inmigrate`.
  func runState() throws -> String {
    let state: RunState = try execute("query-status", Nothing())
    return state.status
  }

  /// Writes the stopped machine's memory and devices to a file.
  func saveMemory(to path: String, timeout: Duration) throws {
    struct Limits: Encodable {
      let maxBandwidth = 16 << 30
      enum CodingKeys: String, CodingKey { case maxBandwidth = "max-bandwidth" }
    }
    struct Target: Encodable {
      let uri: String
    }
    struct Progress: Decodable {
      let status: String?
      let errorDesc: String?
      enum CodingKeys: String, CodingKey {
        case status
        case errorDesc = "error-desc"
      }
    }
    let deadline = Deadline(after: timeout)
    let _: Nothing = try execute("migrate-set-parameters", Limits())
    let _: Nothing = try execute("migrate", Target(uri: "exec:cat >\(shellQuoted(path))"))
    while !deadline.hasPassed {
      let progress: Progress = try execute("query-migrate", Nothing())
      switch progress.status {
      case "completed": return
      case "failed", "cancelled":
        throw MachineError(.refused, "qemu: saving the memory failed: \(progress.errorDesc ?? "no reason given")")
      default: deadline.pause(.milliseconds(50))
      }
    }
    throw MachineError(.timedOut, "qemu: saving the memory did not end within \(timeout)")
  }
}

/// A word as `sh` reads it back unchanged.
public func shellQuoted(_ word: String) -> String {
  "'" + word.replacingOccurrences(of: "'", with: "'\\''") + "'"
}
