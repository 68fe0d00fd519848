import Foundation

extension Machine {
  public func start(_ command: String, stdin: Data?) async throws -> GuestCommand {
    try await offload { [self] in
      try telling {
        let agent = try powered().agent
        let pid = try agent.startCommand(command, input: stdin)
        return GuestCommand(
          command, in: self, pid: pid, result: { try self.telling { try agent.result(of: pid) } },
          kill: { _ = try agent.startCommand("kill -KILL -- -\(pid)", input: nil) })
      }
    }
  }
}
