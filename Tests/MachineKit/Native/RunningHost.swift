import Foundation

/// One life of a native host, from its boot to its end: a running `native-host` and the way into it.
final class RunningHost: Sendable {
  let process: ChildProcess
  let server: CommandServer
  private let directory: String

  /// Boots it.
  /// - Parameters:
  ///   - directory: where it keeps what it writes; see `machine/native-host`.
  ///   - layers: directories below that, topmost first.
  init(_ directory: String, on layers: [String]) throws {
    self.directory = directory
    server = CommandServer(directory: directory + "/link")
    // The signal lets it clean up when this process is killed meanwhile.
    let command = ["setpriv", "--pdeathsig", "TERM", "--", try Repository.machineDirectory() + "/native-host"]
    process = try ChildProcess(
      .init(
        command: command + [directory] + layers,
        output: Descriptor(path: directory + "/log", flags: O_WRONLY | O_CREAT | O_APPEND), inOwnGroup: true))
  }

  deinit {
    process.signal(SIGTERM)
  }

  /// Waits until it takes commands and systemd has come to rest.
  func awaitBoot(_ timeout: Duration) throws {
    let deadline = Deadline(after: timeout)
    while true {
      if let status = process.status { throw failure("ended while it booted, with status \(status)") }
      // Its directory comes first, its socket later.
      if FileManager.default.fileExists(atPath: server.directory), try server.connect() != nil { break }
      guard !deadline.hasPassed else { throw failure("did not boot within \(timeout)") }
      deadline.pause(.milliseconds(10))
    }
    // Its answer may as well be "degraded": whether that matters is for the caller to say.
    _ = try run("systemctl is-system-running --wait", until: deadline)
  }

  /// Runs a command to its end.
  func run(_ command: String, input: Data? = nil, until deadline: Deadline) throws -> CommandOutput {
    let served = try ServedCommand(command, input: input, on: server)
    while !deadline.hasPassed {
      if let output = try served.result() { return output }
      deadline.pause(.milliseconds(5))
    }
    throw failure("\(command): did not end in time")
  }

  /// Runs a command that must succeed.
  func succeed(_ command: String, timeout: Duration) throws {
    let output = try run(command, until: Deadline(after: timeout))
    guard output.status == 0 else {
      throw failure("\(command): status \(output.status)\n\((output.stdout + output.stderr).suffix(4000))")
    }
  }

  /// Has it shut down, and waits for that.
  func switchOff(timeout: Duration) throws {
    _ = try ServedCommand("exec systemctl --no-block poweroff", input: nil, on: server)
    guard process.wait(until: Deadline(after: timeout)) != nil else {
      throw failure("did not switch itself off within \(timeout)")
    }
  }

  /// Ends it at once.
  /// - Parameter removing: whether its directory goes, too.
  func kill(removing: Bool) throws {
    process.signal(removing ? SIGTERM : SIGUSR1)
    guard process.wait(until: Deadline(after: .seconds(30))) != nil else { throw failure("does not go away") }
  }

  /// What its console and its keeper said goes with each error.
  func failure(_ what: String) -> MachineError {
    let said = ["log", "console"].map { (try? String(contentsOfFile: "\(directory)/\($0)", encoding: .utf8)) ?? "" }
    return MachineError(.host, "the native host \(what)", consoleTail: String(said.joined().suffix(3000)))
  }
}
