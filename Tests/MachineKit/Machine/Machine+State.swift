import Synchronization

extension Machine {
  /// Remembers memory, devices and disks under a name, to come back to with ``restore(_:)``.
  ///
  /// Nothing may be under way through the guest agent. A state belongs to the drives that were there then.
  public func saveState(_ name: String) async throws {
    try await offload { [self] in
      try telling { try perform("savevm", name) }
    }
  }

  /// Goes back to a remembered state, also after a power cut.
  ///
  /// The consoles' unread output is skipped, the guest's clock is set to this host's.
  public func restore(_ name: String) async throws {
    try await offload { [self] in
      if power.withLock({ $0 }) == nil { try switchOn(.stopped) }
      try telling {
        try perform("loadvm", name)
        try powered().monitor.execute("cont")
      }
      try memoryWasReplaced()
    }
  }

  private func perform(_ command: String, _ name: String) throws {
    let answer = try powered().monitor.executeForPeople("\(command) \(name)", timeout: .seconds(300))
    guard answer.isEmpty else { throw MachineError(.refused, "qemu: \(command) \(name): \(answer)") }
  }
}
