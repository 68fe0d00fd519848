import Foundation

/// One life of a machine, from power on to power off: a running qemu and the channels into it.
final class PoweredMachine: Sendable {
  let process: ChildProcess
  let monitor: Monitor
  let agent: GuestAgent

  /// Switches it on.
  /// - Parameters:
  ///   - consoles: connected to `ttyS0` and `ttyS1`.
  ///   - log: a file to which qemu's own messages are appended.
  /// - Throws: ``MachineError`` with qemu's messages when it does not come up.
  init(_ hardware: Hardware, _ start: Hardware.Start, consoles: [SerialConsole], log: String) throws {
    let sockets = try Hardware.Socket.allCases.map { _ in try Descriptor.socketPair() }
    process = try ChildProcess(
      .init(
        command: hardware.command(start),
        output: Descriptor(path: log, flags: O_WRONLY | O_CREAT | O_APPEND),
        others: sockets.map(\.theirs), inOwnGroup: true))
    for (console, socket) in zip(consoles, sockets[2...]) { console.connect(socket.ours) }
    agent = GuestAgent(sockets[1].ours)
    do {
      monitor = try Monitor(sockets[0].ours)
      if case .memory = start { try Self.resume(monitor) }
    } catch {
      process.signal(SIGKILL)
      let said = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
      throw MachineError(.host, "qemu did not come up: \(error)\n\(said.suffix(2000))")
    }
  }

  deinit {
    process.signal(SIGKILL)
  }

  /// Waits until the saved memory is in, and lets the machine run.
  private static func resume(_ monitor: Monitor) throws {
    let deadline = Deadline(after: .seconds(120))
    while try monitor.runState() == "inmigrate" {
      guard !deadline.hasPassed else { throw MachineError(.timedOut, "qemu did not read the saved memory in time") }
      deadline.pause(.milliseconds(10))
    }
    try monitor.execute("cont")
  }

  /// Ends it at once, as a power cut would.
  func kill() throws {
    process.signal(SIGKILL)
    guard process.wait(until: Deadline(after: .seconds(30))) != nil else {
      throw MachineError(.host, "qemu (process \(process.pid)) does not go away")
    }
  }
}
