import Foundation

/// A machine on which a stage is being made: booted, worked on, and switched off or frozen.
struct Workshop {
  private let power: PoweredMachine
  private let consoles: [SerialConsole]

  /// Boots it and waits until it has come to rest.
  init(_ hardware: Hardware, log: String) throws {
    self = try ColdBoot.repeated { _, consoles in
      try Workshop(hardware, consoles, log: log)
    } consoles: {
      [SerialConsole(name: "ttyS0"), SerialConsole(name: "ttyS1")]
    }
  }

  private init(_ hardware: Hardware, _ consoles: [SerialConsole], log: String) throws {
    self.consoles = consoles
    power = try PoweredMachine(hardware, .cold, consoles: consoles, log: log)
    try telling("boot") {
      try power.agent.waitUntilUp(timeout: .seconds(300)) { ColdBoot.tripped(consoles[0]) }
      // "degraded" is an answer too: what matters fails later, with its own words.
      try run("systemctl is-system-running --wait", timeout: .seconds(300))
    }
  }

  /// Runs a command that must succeed.
  func succeed(_ command: String, timeout: Duration) throws {
    try telling(command) {
      let output = try run(command, timeout: timeout)
      guard output.status == 0 else {
        let said = (output.stdout + output.stderr).suffix(4000)
        throw MachineError(.commandFailed, "\(command): status \(output.status)\n\(said)")
      }
    }
  }

  @discardableResult
  private func run(_ command: String, timeout: Duration) throws -> CommandOutput {
    let pid = try power.agent.startCommand(command, input: nil)
    let deadline = Deadline(after: timeout)
    while !deadline.hasPassed {
      if let output = try power.agent.result(of: pid) { return output }
      deadline.pause(.milliseconds(200))
    }
    throw MachineError(.timedOut, "\(command) did not end within \(timeout)")
  }

  /// Shuts the guest down and waits until qemu is gone. Harmless when it is.
  func switchOff() throws {
    guard power.process.status == nil else { return }
    try telling("power-off") {
      try power.agent.powerDown(.powerOff)
      guard power.process.wait(until: Deadline(after: .seconds(120))) == 0 else {
        throw MachineError(.timedOut, "the machine did not switch itself off")
      }
    }
  }

  /// Saves the memory of the idle machine and ends it with the disks as they are at that moment.
  func freeze(to file: String) throws {
    try telling("saving the memory") {
      try waitForPrompts()
      // What is not written yet would be written again by every machine that starts from here.
      try run("sync", timeout: .seconds(60))
      try power.monitor.execute("stop")
      try power.monitor.saveMemory(to: file, timeout: .seconds(300))
      try power.monitor.execute("quit")
      guard power.process.wait(until: Deadline(after: .seconds(60))) == 0 else {
        throw MachineError(.timedOut, "qemu did not end after saving the memory")
      }
    }
  }

  /// Both consoles are at rest: a login prompt on the first, root's shell on the second.
  private func waitForPrompts() throws {
    let deadline = Deadline(after: .seconds(120))
    while !(consoles[0].transcript.contains("login: ") && consoles[1].transcript.contains(SerialConsole.prompt)) {
      guard !deadline.hasPassed else {
        throw MachineError(.timedOut, "no login prompt on ttyS0, or no shell on ttyS1:\n\(consoles[1].tail())")
      }
      deadline.pause(.milliseconds(100))
    }
  }

  private func telling<Result>(_ what: String, _ work: () throws -> Result) throws -> Result {
    do {
      return try work()
    } catch let error as MachineError {
      throw MachineError(error.kind, "\(what): \(error.what)", consoleTail: consoles[0].tail())
    }
  }
}
