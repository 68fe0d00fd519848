import MailbootCore
import SecretMemory

/// A further vault on paper. Every operation can be told to fail.
final class SimulatedFurtherVault: OtherVaultPort {
  let name: String
  let mountPoint: String
  private let machine: SimulatedMachine
  private(set) var open = false
  private(set) var mounted = false
  /// The passphrase is another one than the first vault's.
  var hasPassphraseOfItsOwn = false
  /// A file opens it, whatever the passphrase.
  var hasKeyFile = false
  /// What fails, as `open`, `mount`, `unmount`, `close`.
  var failing: [String: Failure] = [:]

  init(_ vault: Configuration.Vault, _ machine: SimulatedMachine) {
    name = vault.name
    mountPoint = vault.mount
    self.machine = machine
  }

  func foundOpen(mounted: Bool = true) {
    open = true
    self.mounted = mounted
  }

  private func act(_ operation: String) throws(Failure) {
    try machine.actFurther("\(operation) \(name)")
    if let failure = failing[operation] { throw failure }
  }

  func open(_ passphrase: borrowing SecretBytes) throws(Failure) -> StepOutcome {
    try act("open")
    if open { return .unchanged }
    guard hasKeyFile || !passphrase.isEmpty && !hasPassphraseOfItsOwn else {
      throw .passphraseRefused(
        tries: passphrase.isEmpty ? 0 : 1, empty: passphrase.isEmpty, endsInCarriageReturn: false)
    }
    open = true
    return .changed
  }

  func mount() throws(Failure) -> StepOutcome {
    try act("mount")
    guard open else { throw .system("mount: \(name) is closed") }
    defer { mounted = true }
    return mounted ? .unchanged : .changed
  }

  func unmount() throws(Failure) -> StepOutcome {
    try act("unmount")
    defer { mounted = false }
    return mounted ? .changed : .unchanged
  }

  func close() throws(Failure) -> StepOutcome {
    try act("close")
    guard !mounted else { throw .vault(VaultFailure(.busy, "it is mounted"), device: name) }
    defer { open = false }
    return open ? .changed : .unchanged
  }
}

/// A host with two vaults, and a service that names the second.
struct SimulatedTwoVaults {
  let machine: SimulatedMachine
  let backup: SimulatedFurtherVault
  private(set) var progress: [Progress] = []

  init(_ change: (inout Configuration) -> Void = { _ in }) {
    var configuration = Configuration()
    var vault = Configuration.Vault(further: "backup")
    vault.device = "/dev/vdc"
    configuration.otherVaults = [vault]
    configuration.services.append(Configuration.Service(name: "borg", vaults: ["backup"]))
    change(&configuration)
    machine = SimulatedMachine(configuration)
    backup = SimulatedFurtherVault(configuration.otherVaults[0], machine)
  }

  /// - Parameter passphrase: nil: none is there.
  func unlock(_ passphrase: String? = "x", onlyFurther: Bool = false) throws -> (UnlockSequence, Failure?) {
    let run = UnlockSequence(
      configuration: machine.configuration, vault: machine, others: [backup], services: machine, clock: machine
    ) { _ in }
    var secret = try SecretBytes(capacity: 8)
    for byte in (passphrase ?? "").utf8 { try secret.append(byte) }
    do throws(Failure) {
      if onlyFurther { try run.openOthers(secret) }
      if machine.state.open { run.foundOpen() } else { try run.open(secret) }
      try run.complete(start: true, secret)
      return (run, nil)
    } catch {
      return (run, error)
    }
  }

  func lock() -> (LockSequence, Failure?) {
    let run = LockSequence(
      configuration: machine.configuration, vault: machine, others: [backup], services: machine, users: machine,
      clock: machine
    ) { _ in }
    do throws(Failure) {
      try run.lock(kill: false)
      return (run, nil)
    } catch {
      return (run, error)
    }
  }
}
