import Foundation

/// A command that was started in a guest.
public final class GuestCommand: Sendable {
  /// Its process id in the guest, and that of its session and process group.
  public let pid: Int
  private let command: String
  private let guest: any Guest
  /// Its output once it has ended, handed out once.
  private let result: @Sendable () throws -> CommandOutput?
  /// Kills it and its process group.
  private let kill: @Sendable () throws -> Void

  init(
    _ command: String, in guest: any Guest, pid: Int, result: @escaping @Sendable () throws -> CommandOutput?,
    kill: @escaping @Sendable () throws -> Void
  ) {
    self.command = command
    self.guest = guest
    self.pid = pid
    self.result = result
    self.kill = kill
  }

  /// Waits for its end. Its result is handed out once.
  /// - Parameter timeout: when it passes, the command and its process group are killed.
  public func wait(timeout: Duration = .seconds(120)) async throws -> CommandOutput {
    try await offload { [self] in
      let deadline = Deadline(after: timeout)
      var interval = Duration.milliseconds(5)
      while !deadline.hasPassed {
        if let output = try result() { return output }
        deadline.pause(interval)
        interval = min(interval * 1.5, .milliseconds(200))
      }
      try kill()
      throw MachineError(.timedOut, "\(command): did not end within \(timeout)", consoleTail: guest.ttyS0.tail())
    }
  }

  /// Sends a signal, such as `TERM`, to the command itself.
  public func signal(_ name: String) async throws {
    try await guest.succeed("kill -\(name) \(pid)")
  }
}

/// What a command in the guest left behind.
public struct CommandOutput: Sendable {
  /// The exit status, or 128 + the signal that ended it.
  public let status: Int32
  public let standardOutput: Data
  public let standardError: Data

  /// The standard output as text; bytes that are not UTF-8 come out as U+FFFD.
  public var stdout: String { String(decoding: standardOutput, as: UTF8.self) }
  /// The standard error as text; bytes that are not UTF-8 come out as U+FFFD.
  public var stderr: String { String(decoding: standardError, as: UTF8.self) }
}
