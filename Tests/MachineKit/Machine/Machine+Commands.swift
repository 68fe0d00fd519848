import Foundation

extension Machine {
  /// Runs a command of `bash` as root, without a terminal, and waits for its end.
  ///
  /// The end is that of the command and of everything that holds its outputs open.
  /// - Parameters:
  ///   - stdin: what it reads; nothing when `nil`.
  ///   - timeout: when it passes, the command and its process group are killed.
  public func run(_ command: String, stdin: Data? = nil, timeout: Duration = .seconds(120)) async throws
    -> CommandOutput
  {
    try await start(command, stdin: stdin).wait(timeout: timeout)
  }

  /// Runs a command that must succeed, and returns its standard output.
  /// - Throws: ``MachineError`` of kind `commandFailed` with all it printed.
  @discardableResult
  public func succeed(_ command: String, stdin: Data? = nil, timeout: Duration = .seconds(120)) async throws -> String {
    let output = try await run(command, stdin: stdin, timeout: timeout)
    guard output.status == 0 else {
      throw MachineError(.commandFailed, "\(command): status \(output.status)\n\(output.stdout)\(output.stderr)")
    }
    return output.stdout
  }

  /// Starts a command like ``run(_:stdin:timeout:)`` and does not wait for it.
  public func start(_ command: String, stdin: Data? = nil) async throws -> GuestCommand {
    try await offload { [self] in
      try telling {
        let agent = try powered().agent
        return GuestCommand(
          machine: self, agent: agent, command: command, pid: try agent.startCommand(command, input: stdin))
      }
    }
  }

  /// Writes a file in the guest.
  /// - Parameter mode: its permissions, for instance `0o600`.
  public func put(_ path: String, _ data: Data, mode: Int = 0o644) async throws {
    let file = shellQuoted(path)
    try await succeed("set -e; umask 077; : >\(file); chmod \(String(mode, radix: 8)) \(file)")
    // In pieces that the agent's parser takes without trouble.
    var rest = data[...]
    while !rest.isEmpty {
      try await succeed("cat >>\(file)", stdin: Data(rest.prefix(1 << 20)))
      rest = rest.dropFirst(1 << 20)
    }
  }

  /// Reads a file of the guest, up to 16 MiB.
  public func get(_ path: String) async throws -> Data {
    let output = try await run("cat -- \(shellQuoted(path))")
    guard output.status == 0 else { throw MachineError(.commandFailed, "read \(path): \(output.stderr)") }
    return output.standardOutput
  }
}

/// A command that was started in the guest.
public final class GuestCommand: Sendable {
  /// Its process id in the guest, and that of its session and process group.
  public let pid: Int
  private let command: String
  private let machine: Machine
  private let agent: GuestAgent

  init(machine: Machine, agent: GuestAgent, command: String, pid: Int) {
    self.machine = machine
    self.agent = agent
    self.command = command
    self.pid = pid
  }

  /// Waits for its end. Its result is handed out once.
  /// - Parameter timeout: when it passes, the command and its process group are killed.
  public func wait(timeout: Duration = .seconds(120)) async throws -> CommandOutput {
    try await offload { [self] in
      try machine.telling {
        let deadline = Deadline(after: timeout)
        var interval = Duration.milliseconds(5)
        while !deadline.hasPassed {
          if let output = try agent.result(of: pid) { return output }
          deadline.pause(interval)
          interval = min(interval * 1.5, .milliseconds(200))
        }
        _ = try agent.startCommand("kill -KILL -- -\(pid)", input: nil)
        throw MachineError(.timedOut, "\(command): did not end within \(timeout)")
      }
    }
  }

  /// Sends a signal, such as `TERM`, to the command itself.
  public func signal(_ name: String) async throws {
    try await machine.succeed("kill -\(name) \(pid)")
  }
}
