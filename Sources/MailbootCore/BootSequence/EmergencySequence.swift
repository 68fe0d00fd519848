/// One emergency lock: the key first, then everything that uses it, whatever fails on the way.
///
/// No step waits for long and none keeps the next from being tried. Nothing is taken back: there is no way back without the passphrase.
public final class EmergencySequence {
  private let configuration: Configuration
  private let machine: any EmergencyPort
  /// The further vaults: their keys, users and mounts.
  private let others: [(mount: String, machine: any EmergencyPort)]
  private let report: (Progress) -> Void
  private let log: StepLog

  public var steps: [StepRecord] { log.steps }
  /// Whether no vault's key is in memory any more.
  public var isKeyGone: Bool { gone.count == others.count + 1 }
  /// The vaults whose key is gone, the first one as 0.
  private var gone: Set<Int> = []

  public init(
    configuration: Configuration, machine: any EmergencyPort,
    others: [(mount: String, machine: any EmergencyPort)] = [], clock: any ClockPort,
    report: @escaping (Progress) -> Void
  ) {
    self.configuration = configuration
    self.machine = machine
    self.others = others
    self.report = report
    log = StepLog(clock: clock, report: report)
  }

  /// The key alone. What has not been written to the disk by now is lost.
  public func revoke() {
    for (index, machine) in ([machine] + others.map(\.machine)).enumerated() {
      do {
        try log.perform(index == 0 ? .revoke : .revokeVault(machine.name)) { () throws(Failure) in
          try machine.revokeKey()
        }
        gone.insert(index)
      } catch {
        // Closing the vault takes the key away, too.
        report(.note("the key could not be taken away at once: \(error.summary)"))
      }
    }
  }

  /// Everything else.
  /// - Throws: when the vault is still there at the end, or a service still runs.
  public func clear() throws(Failure) {
    var first: Failure?
    do {
      try log.perform(.stopAll) { () throws(Failure) in try machine.stopServices() }
    } catch {
      first = error
    }
    for (index, other) in others.enumerated().reversed() {
      let (mount, machine) = other
      _ = try? machine.endUsers()
      _ = try? log.perform(.unmount(mount)) { () throws(Failure) in try machine.unmountAll() }
      do {
        try log.perform(.close(machine.name)) { () throws(Failure) in try machine.close() }
        gone.insert(index + 1)
      } catch {
        first = first ?? error
      }
    }
    // These two only make room for closing; whether they did shows there.
    _ = try? log.perform(.users) { () throws(Failure) in try machine.endUsers() }
    _ = try? log.perform(.unmount(configuration.vault.mount)) { () throws(Failure) in try machine.unmountAll() }
    do {
      try log.perform(.close(machine.name)) { () throws(Failure) in try machine.close() }
      gone.insert(0)
    } catch {
      first = error
    }
    if let first { throw .emergency(of: first, keyGone: isKeyGone) }
  }
}
