import Foundation

extension GuestAgent {
  private struct ExecArguments: Encodable {
    let path: String
    let arg: [String]
    let inputData: String?
    let captureOutput = true

    enum CodingKeys: String, CodingKey {
      case path, arg
      case inputData = "input-data"
      case captureOutput = "capture-output"
    }
  }

  private struct ExecStarted: Decodable {
    let pid: Int
  }

  private struct StatusArguments: Encodable {
    let pid: Int
  }

  private struct ExecStatus: Decodable {
    let exited: Bool
    let exitcode: Int32?
    let signal: Int32?
    let outData: Data?
    let errData: Data?
    let outTruncated: Bool?
    let errTruncated: Bool?

    enum CodingKeys: String, CodingKey {
      case exited, exitcode, signal
      case outData = "out-data"
      case errData = "err-data"
      case outTruncated = "out-truncated"
      case errTruncated = "err-truncated"
    }
  }

  /// Starts a shell command as root, in a session of its own and without a terminal.
  /// - Returns: its process id, which is also that of its process group.
  func startCommand(_ command: String, input: Data?) throws -> Int {
    let started: ExecStarted = try execute(
      "guest-exec",
      ExecArguments(
        path: "/usr/bin/setsid", arg: ["/bin/bash", "-c", command], inputData: input?.base64EncodedString()))
    return started.pid
  }

  /// Asks whether a command started by ``startCommand(_:input:)`` has ended. Its result is handed out once.
  func result(of pid: Int) throws -> CommandOutput? {
    let status: ExecStatus = try execute("guest-exec-status", StatusArguments(pid: pid))
    guard status.exited else { return nil }
    guard status.outTruncated != true && status.errTruncated != true else {
      throw MachineError(.refused, "guest agent: the command's output is longer than the agent keeps (16 MiB)")
    }
    return CommandOutput(
      status: status.exitcode ?? 128 + (status.signal ?? 0),
      standardOutput: status.outData ?? Data(), standardError: status.errData ?? Data())
  }
}
