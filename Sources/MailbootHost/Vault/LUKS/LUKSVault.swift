import CLinux
import Glibc
import Linux
import MailbootCore
import SecretMemory
import Systemd

/// A vault on a device that device-mapper maps, LUKS or of another format: the worker opens and closes it, systemd mounts it.
final class LUKSVault: VaultKind {
  let vault: Configuration.Vault

  let sysfs: String
  private let crypttab: String
  /// The number of the block device at a path.
  private let sourceNumber: (String) -> String?

  init(
    _ vault: Configuration.Vault, sysfs: String = "/sys", crypttab: String = "/etc/crypttab",
    sourceNumber: @escaping (String) -> String? = blockDeviceNumber
  ) {
    self.vault = vault
    self.sysfs = sysfs
    self.crypttab = crypttab
    self.sourceNumber = sourceNumber
  }

  /// How crypttab(5) wants the mapping, where it has it.
  var crypttabOptions: [String] {
    readSmallText(crypttab).flatMap { DeviceResolver.crypttabEntry(of: vault.mapping, in: $0)?.options } ?? []
  }

  var header: String? {
    vault.header ?? crypttabOptions.first { $0.hasPrefix("header=") }.map { String($0.dropFirst("header=".count)) }
  }

  var name: String { vault.mapping }
  var node: String { "/dev/mapper/\(vault.mapping)" }
  var mapping: MappingStatus? {
    var found = DeviceMapper.mapping(named: vault.mapping, sysfs: sysfs)
    // Each cipher of a VeraCrypt cascade has a mapping of its own below.
    if vault.kind == .veracrypt, let bottom = DeviceMapper.bottom(of: vault.mapping, sysfs: sysfs) {
      found?.backing = bottom
    }
    return found
  }

  /// Why VeraCrypt could never have such a passphrase.
  func unusable(_ passphrase: borrowing SecretBytes) -> String? {
    vault.kind == .veracrypt && passphrase.count > 128
      ? "it has \(passphrase.count) bytes, and VeraCrypt takes 128" : nil
  }

  var watchedUnits: [UnitName] { [.device(forPath: node)] }

  // MARK: Looking

  func observe(_ mounts: MountTable) throws(Failure) -> (opening: Opening, mount: MountStatus?) {
    let opening = try opening()
    guard let mapping, let entry = mounts.mount(on: vault.mount), holds(entry, mapping) else {
      return (opening, mounts.status(of: vault.mount))
    }
    var status = mounts.status(of: vault.mount)
    status?.device = mapping.device
    return (opening, status)
  }

  /// Whether what is mounted is the vault's file system: that of the mapping itself, or of an LVM volume in it. Btrfs has numbers of its
  /// own that no device has; then what it says it was mounted from has to do, which only root can choose.
  private func holds(_ entry: MountEntry, _ mapping: MappingStatus) -> Bool {
    if DeviceMapper.device(entry.device, liesOn: mapping, sysfs: sysfs) { return true }
    guard entry.device.hasPrefix("0:"), ["btrfs", "bcachefs"].contains(entry.filesystem), !entry.isUsers else {
      return false
    }
    return sourceNumber(entry.source).map { DeviceMapper.device($0, liesOn: mapping, sysfs: sysfs) } ?? false
  }

  private func opening() throws(Failure) -> Opening {
    guard DeviceMapper.isVisible(sysfs: sysfs) else {
      throw .system("/sys is not mounted: the vault's state cannot be seen")
    }
    guard let mapping else { return .closed }
    var flaws: [String] = []
    if !mapping.hasItsDisk {
      // An emergency leaves a table without a disk, and some kernels do so when a disk is pulled out.
      let orKey =
        mapping.backing.isEmpty ? ", or an emergency lock has taken its key away: `mailboot lock` clears it" : ""
      flaws = ["the disk below the open vault \(vault.mapping) is gone" + orKey]
    }
    return .open(
      OpenVault(device: mapping.device, backing: mapping.backing.first, uuid: mapping.volumeUUID, flaws: flaws))
  }

  func fileSystem(_ mounts: MountTable) -> String? {
    guard let mapping else { return nil }
    guard let entry = mounts.mount(on: vault.mount), holds(entry, mapping) else { return mapping.device }
    return entry.device
  }

  func planWords(device: String?) -> VaultPlanWords {
    return VaultPlanWords(
      open: "ask for the passphrase, open \(device ?? "the vault") as \(vault.mapping)",
      alreadyOpen: "\(vault.mapping) is open",
      mount: isInFstab
        ? "mount \(vault.mount) by its line in /etc/fstab" : "check the file system, mount it on \(vault.mount)",
      alreadyMounted: "\(vault.mount) is mounted")
  }

  // MARK: Mounting

  private var isInFstab: Bool {
    readSmallText("/etc/fstab").flatMap { FstabEntry.line(for: vault.mount, in: $0) } != nil
  }

  /// What to mount it as where fstab does not say. What is there counts as long as nobody has said otherwise.
  func filesystem(_ content: String?, isInFstab: Bool) throws(Failure) -> String {
    guard !isInFstab, let content, vault.filesystem == Configuration.Vault().filesystem else { return vault.filesystem }
    if content == "LVM2_member" {
      let result = "LVM is on \(node): its volume needs a line in /etc/fstab"
      throw .mount(.refused(result: result, journal: []), path: vault.mount)
    }
    return content
  }

  func mount(_ tools: VaultTools) throws(Failure) -> StepOutcome {
    guard let mapping else { throw .system("the mapping \(vault.mapping) is gone") }
    if let mounted = MountTable.current()?.mount(on: vault.mount) {
      guard holds(mounted, mapping) else { throw .mount(.occupied(by: mounted.source), path: vault.mount) }
      return .unchanged
    }
    try Mounts.prepare(vault.mount)
    if DeviceMapper.isUnrecognized(mapping) {
      let result = "no file system is to be seen on \(node): it is badly damaged, or was never made"
      throw .mount(.refused(result: result, journal: []), path: vault.mount)
    }
    let content = DeviceMapper.content(of: mapping)
    if let content, ["ntfs", "exfat", "vfat"].contains(content) {
      tools.warn("\(node) has \(content), which knows no owners of files: mail cannot be kept apart in it")
    }
    try tools.mounts.start(
      path: vault.mount, what: node, type: try filesystem(content, isInFstab: isInFstab),
      options: vault.options, fsck: true)
    // A wrong fstab line mounts something else; that is not the vault.
    let now = MountTable.current()?.mount(on: vault.mount)
    guard let now, holds(now, mapping) else {
      let nowSource = now?.source ?? "nothing"
      try tools.mounts.stop(path: vault.mount)
      throw .mount(.occupied(by: nowSource), path: vault.mount)
    }
    return .changed
  }

  func unmount(_ tools: VaultTools) throws(Failure) -> StepOutcome {
    guard let mapping, let mounted = MountTable.current()?.mount(on: vault.mount), holds(mounted, mapping) else {
      return .unchanged
    }
    return try tools.mounts.stop(path: vault.mount)
  }

  // MARK: In an emergency

  /// Seconds the kernel has to suspend the mapping: as long as the disk takes for what is on its way to it.
  private static let revokeTimeout = 10.0
  private static let closeTimeout = 30.0

  func isThereInEmergency() throws(Failure) -> Bool {
    guard let mapping else { return false }
    if mapping.isVolume(of: vault.kind) { return true }
    throw .vault(
      VaultFailure(.nameTaken, "it is no \(vault.kind.title) mapping (\(mapping.backing.joined(separator: ", ")))"),
      device: vault.mapping)
  }

  func revokeKey(_ worker: Worker, _ reactor: Reactor) throws(Failure) -> StepOutcome {
    let request = RevokeRequest(mapping: vault.mapping)
    switch try ask(worker, .revoke, request, as: RevokeReply.self, reactor, timeout: Self.revokeTimeout) {
    case .revoked: return .changed
    case .notOpen: return .unchanged
    case .failed(let failure): throw .vault(failure, device: node)
    }
  }

  func closeInEmergency(_ worker: Worker, _ reactor: Reactor) throws(Failure) -> StepOutcome {
    let request = CloseRequest(mapping: vault.mapping)
    switch try ask(worker, .close, request, as: CloseReply.self, reactor, timeout: Self.closeTimeout) {
    case .closed: return .changed
    case .alreadyClosed: return .unchanged
    case .failed(let failure): throw .vault(failure, device: node)
    }
  }

  private func ask<Reply: Decodable>(
    _ worker: Worker, _ verb: WorkerVerb, _ request: some Encodable, as type: Reply.Type, _ reactor: Reactor,
    timeout: Double
  ) throws(Failure) -> Reply {
    let child = try worker.begin(verb, request)
    guard try child.runOrLeave(reactor, until: Reactor.monotonic() + timeout) else {
      throw .system("the kernel did not finish \(verb.rawValue) within \(Int(timeout)) s")
    }
    return try worker.reply(type, of: child)
  }
}

/// `major:minor` of the block device at a path; nil when there is none.
func blockDeviceNumber(_ path: String) -> String? {
  fileStatus(path).flatMap { mb_s_isblk($0.st_mode) != 0 ? deviceNumber($0.st_rdev) : nil }
}
