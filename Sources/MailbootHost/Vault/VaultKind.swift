import MailbootCore
import SecretMemory
import Systemd

/// What each kind of vault does in its own way. Everything else is the same for all of them, and asks nobody which kind it is.
protocol VaultKind: AnyObject {
  /// What is opened and closed, as people call it.
  var name: String { get }
  /// Units whose changes tell something about the vault, besides its mounts.
  var watchedUnits: [UnitName] { get }

  // Looking: needs no privilege, and never blocks for long.

  /// Whether it is open, and what is on the mount point.
  /// - Throws: when it cannot be seen at all.
  func observe(_ mounts: MountTable) throws(Failure) -> (opening: Opening, mount: MountStatus?)
  /// `major:minor` of the vault's file system, as long as there is any of it, open or broken; nil also when it has none of its own.
  func fileSystem(_ mounts: MountTable) -> String?
  /// What `mailboot plan` says of opening and mounting it.
  func planWords(device: String?) -> VaultPlanWords

  // Before anything is changed.

  /// The device to open, found and looked into. Of a broken vault, too.
  /// - Parameter byToken: whether a token is to open it.
  func checkClosed(_ tools: VaultTools, byToken: Bool) throws(Failure) -> String
  /// What is open under our name must be our vault.
  func checkOpen(_ tools: VaultTools) throws(Failure)

  /// Why this kind could never have such a passphrase; nil when it could.
  func unusable(_ passphrase: borrowing SecretBytes) -> String?

  // The steps of a run, see `VaultPort`.

  /// - Parameters:
  ///   - device: what `checkClosed` found.
  ///   - byToken: a token opens it; the passphrase is empty then.
  func open(
    _ passphrase: borrowing SecretBytes, device: String, byToken: Bool, _ tools: VaultTools
  ) throws(Failure) -> StepOutcome
  func mount(_ tools: VaultTools) throws(Failure) -> StepOutcome
  func unmount(_ tools: VaultTools) throws(Failure) -> StepOutcome
  func close(_ tools: VaultTools) throws(Failure) -> StepOutcome

  // In an emergency, see `EmergencyPort`.

  /// Whether there is a key to take away, or what it leaves.
  /// - Throws: when there is none of ours.
  func isThereInEmergency() throws(Failure) -> Bool
  /// Asks nobody who might be slow.
  func revokeKey(_ worker: Worker, _ reactor: Reactor) throws(Failure) -> StepOutcome
  /// - Throws: `.vault` with `.busy` when somebody keeps it in use.
  func closeInEmergency(_ worker: Worker, _ reactor: Reactor) throws(Failure) -> StepOutcome
}

extension VaultKind {
  func unusable(_ passphrase: borrowing SecretBytes) -> String? { nil }
}

/// What a kind of vault works with in a run.
struct VaultTools {
  let worker: Worker
  let units: UnitControl
  /// Seconds one mount or unmount may take; nil: as long as systemd lets it.
  var mountTimeout: Double?
  /// Seconds to wait for the vault's device.
  var deviceTimeout: Int
  /// Says what is wrong but holds nothing up.
  var warn: (String) -> Void = { _ in }

  var mounts: Mounts { mountTimeout.map { Mounts(units: units, timeout: $0) } ?? Mounts(units: units) }
}

/// The kinds there are. This is the only place that tells them apart.
enum VaultKinds {
  static func make(_ configuration: Configuration) -> any VaultKind {
    switch configuration.vault.kind {
    case .luks, .veracrypt, .bitlocker: LUKSVault(configuration.vault)
    case .gocryptfs: GocryptfsVault(configuration)
    case .plain: PlainDirectory(configuration.vault)
    }
  }

  /// Of the further vaults, in order.
  static func others(_ configuration: Configuration) -> [any VaultKind] {
    configuration.otherVaults.map { make(configuration.seen(from: $0)) }
  }
}
