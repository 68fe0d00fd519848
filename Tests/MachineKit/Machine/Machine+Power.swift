import Foundation
import Synchronization

extension Machine {
  /// Cuts the power: what the guest has not flushed to its disks is lost.
  public func powerCut() async throws {
    try await offload { [self] in
      try power.withLock { power in
        try power?.kill()
        power = nil
      }
    }
  }

  /// Switches the machine on without waiting for anything but its consoles.
  public func powerOn() async throws {
    try await offload { [self] in try switchOn(.cold) }
  }

  /// Boots the machine after a power cut from the disks as they are, and waits until systemd has come to rest.
  public func bootAgain() async throws {
    try await offload { [self] in
      try ColdBoot.repeated { attempt, _ in
        if attempt > 1 {
          power.withLock { power in
            try? power?.kill()
            power = nil
          }
        }
        try start(.cold)
      } consoles: {
        [ttyS0]
      }
    }
  }

  /// Shuts the guest down and waits until it has switched itself off.
  public func shutDown(timeout: Duration) async throws {
    try await offload { [self] in
      try telling {
        let powered = try powered()
        try powered.agent.powerDown(.powerOff)
        guard powered.process.wait(until: Deadline(after: timeout)) != nil else {
          throw MachineError(.timedOut, "the machine did not switch itself off within \(timeout)")
        }
        power.withLock { $0 = nil }
      }
    }
  }

  /// Waits until the guest agent answers and systemd has come to rest: after ``powerOn()``.
  public func waitUntilUp(timeout: Duration = .seconds(300)) async throws {
    try await offload { [self] in try awaitBoot(timeout) }
  }

  /// Switches the machine on and makes it ready for commands.
  func start(_ start: Hardware.Start) throws {
    try switchOn(start)
    if case .memory = start {
      try memoryWasReplaced()
    } else {
      try awaitBoot(.seconds(300))
    }
  }

  func switchOn(_ start: Hardware.Start) throws {
    try power.withLock { power in
      guard power == nil else { throw MachineError(.host, "the machine is already on") }
      var hardware = images.hardware(drives.withLock { $0 })
      hardware.tpm = try tpm.withLock { $0 }.map(startTPM)
      power = try PoweredMachine(hardware, start, consoles: [ttyS0, ttyS1], log: directory + "/qemu.log")
    }
  }

  private func awaitBoot(_ timeout: Duration) throws {
    try telling {
      let agent = try powered().agent
      let deadline = Deadline(after: timeout)
      try agent.waitUntilUp(timeout: timeout) { ColdBoot.tripped(ttyS0) }
      let pid = try agent.startCommand("systemctl is-system-running --wait", input: nil)
      // Its answer may as well be "degraded": whether that matters is for the caller to say.
      while try agent.result(of: pid) == nil {
        guard !deadline.hasPassed else { throw MachineError(.timedOut, "the machine did not boot within \(timeout)") }
        deadline.pause(.milliseconds(100))
      }
    }
  }

  /// Gets back in touch with a guest that was put back in time, and sets its clock.
  func memoryWasReplaced() throws {
    try telling {
      let agent = try powered().agent
      agent.memoryWasReplaced()
      for console in [ttyS0, ttyS1] { console.skip() }
      let now = Date().timeIntervalSince1970
      let pid = try agent.startCommand(String(format: "date --utc --set=@%.3f", now), input: nil)
      let deadline = Deadline(after: .seconds(60))
      while true {
        if let output = try agent.result(of: pid) {
          guard output.status == 0 else { throw MachineError(.refused, "set the guest's clock: \(output.stderr)") }
          return
        }
        guard !deadline.hasPassed else { throw MachineError(.timedOut, "the guest's clock could not be set") }
        deadline.pause(.milliseconds(5))
      }
    }
  }
}
