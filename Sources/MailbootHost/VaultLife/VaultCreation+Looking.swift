import CLinux
import Glibc
import Linux
import MailbootCore

/// What is there before a vault is made.
extension VaultCreation {
  /// What is there. Changes nothing but what a call that was killed has left open.
  /// - Throws: what keeps a vault from being made there, whoever insists.
  public func look() throws(Failure) -> VaultGround {
    // One that was killed has left it there: its device would be in use.
    try unmount()
    if vault.type == .luks, DeviceMapper.mapping(named: Self.mapping) != nil { try closeMapping() }
    try refuseSecond()
    try refuseOthers()
    switch vault.place {
    case .device(let device):
      let least = NewVault.leastBytes(filesystem: vault.filesystem)
      let contents = try DeviceExamination(reactor: work.reactor).contents(of: device, least: least).contents
      if contents.isEmpty { return .empty }
      return try ours(device) ?? .contents(contents)
    case .file(let path, let bytes): return try lookAtFile(path, bytes)
    case .directory(let path): return try lookAtDirectory(path)
    }
  }

  /// A configuration that names a vault already is not to lose it.
  private func refuseSecond() throws(Failure) {
    if fileStatus(configurationFile) != nil {
      throw .usage(
        "\(configurationFile) names a vault already",
        hint: vault.purpose == .next
          ? "`mailboot vault move` moves there; remove the file if you want another one"
          : "look at it with `mailboot vault info`; to move to a new one, `mailboot vault create --next …`")
    }
    guard vault.purpose == .first else { return }
    let configured = work.configuration.vault
    if let mounted = MountTable.current()?.mount(on: configured.mount) {
      throw .usage(
        "a vault is open on \(configured.mount) (\(mounted.source))",
        hint: "to move to a new one: `mailboot vault create --next …`, then `mailboot vault move`")
    }
    guard let device = configured.device, resolvedPath(device) != resolvedPath(vault.subject) else { return }
    let isVault =
      configured.kind == .gocryptfs
      ? fileStatus("\(device)/\(GocryptfsConfiguration.fileName)") != nil
      : (try? DeviceResolver(vault: configured, timeout: 0).resolve(work.reactor)) != nil
    if isVault {
      throw .usage(
        "\(device) is configured as the vault already",
        hint: "to move to a new one: `mailboot vault create --next …`, then `mailboot vault move`")
    }
  }

  /// What is another vault of this host is not to be erased, nor to have two names, whoever insists.
  private func refuseOthers() throws(Failure) {
    let first = work.configuration.vault
    if case .another(let name) = vault.purpose, work.configuration.vaults.contains(where: { $0.name == name }) {
      // What is written of it would be laid over the other one.
      throw .usage("there is a vault \(name) already", hint: "give it another `--name`")
    }
    for other in work.configuration.vaults where vault.purpose != .first || other.name != first.name {
      guard isAt(other) else { continue }
      throw .usage(
        "\(vault.subject) is configured as the vault \(other.name)",
        hint: "take another place, or take that vault out of the configuration first")
    }
    if let kept, isAt(kept) {
      throw .usage(
        "\(vault.subject) is the vault before the last move, which is kept",
        hint: "when you don't need it any more: `mailboot vault move --forget`")
    }
    // With a second LUKS device nobody could tell any more which one is meant.
    if case .device = vault.place, vault.purpose != .first, first.kind == .luks, !isNamed(first) {
      let found = (try? DeviceResolver(vault: first, timeout: 0).resolve(work.reactor)).map { " (now \($0))" } ?? ""
      throw .usage(
        "the vault \(first.name) has no `device` in the configuration: it is found as the only LUKS device\(found), and"
          + " would not be any more",
        hint: "name it first, as `device = \"UUID=…\"` in [vault] (see `lsblk -o NAME,UUID,FSTYPE`)")
    }
  }

  /// Whether configuration or crypttab name its device, be it there or not.
  private func isNamed(_ vault: Configuration.Vault) -> Bool {
    do throws(Failure) {
      return try DeviceResolver(vault: vault, timeout: 0).resolveNamed(work.reactor) != nil
    } catch {
      return true
    }
  }

  /// Whether the new vault is to be where another one is.
  private func isAt(_ other: Configuration.Vault) -> Bool {
    var place = other.shownDevice.flatMap { resolvedPath(DeviceResolver.path(for: $0)) }
    if other.kind == .luks {
      let found = try? DeviceResolver(vault: other, timeout: 0).resolve(work.reactor)
      place = found.flatMap { resolvedPath($0) } ?? place
    }
    guard let place else { return false }
    return place == resolvedPath(vault.subject)
  }

  private func ours(_ device: String) throws(Failure) -> VaultGround? {
    let reply = try work.worker.ask(
      .inspect, InspectRequest(device: device, header: nil), as: InspectReply.self, reactor: work.reactor, timeout: 60)
    guard case .luks(let summary) = reply else { return nil }
    if summary.subsystem == VaultMark.unfinished { return .unfinished }
    return VaultMark.filesystem(of: summary.subsystem).map { .whole(uuid: summary.uuid, filesystem: $0) }
  }

  private func lookAtFile(_ path: String, _ bytes: UInt64) throws(Failure) -> VaultGround {
    guard path.hasPrefix("/") else { throw .usage("--file takes an absolute path", hint: nil) }
    let directory = parentDirectory(of: path)
    if let reason = untrustedReason(directory) {
      throw .usage("\(reason): the vault's file would not be safe there", hint: "take a directory of root's")
    }
    if let status = fileStatus(path) {
      guard mb_s_isreg(status.st_mode) != 0, let ground = try ours(path) else {
        throw .vault(VaultFailure(.notEmpty, "there is such a file already"), device: path)
      }
      return ground
    }
    let least = NewVault.leastBytes(filesystem: vault.filesystem)
    if bytes < least {
      throw .vault(
        VaultFailure(.tooSmall, "\(bytes >> 20) MiB are wanted, and a vault takes \(least >> 20)"), device: path)
    }
    let leftover = fileStatus(unfinishedPath)
    var space = statvfs()
    guard statvfs(directory, &space) == 0 else { throw .system("\(directory): \(errnoText())") }
    let free = UInt64(space.f_bavail) * UInt64(space.f_frsize) + (leftover.map { UInt64($0.st_blocks) * 512 } ?? 0)
    // A full system disk stops more than mail.
    guard free > bytes + (64 << 20) else {
      throw .vault(
        VaultFailure(.tooSmall, "\(bytes >> 20) MiB are wanted, and \(free >> 20) are free"), device: directory)
    }
    return leftover == nil ? .empty : .unfinished
  }

  private func lookAtDirectory(_ path: String) throws(Failure) -> VaultGround {
    guard path.hasPrefix("/") else { throw .usage("--directory takes an absolute path", hint: nil) }
    guard access(GocryptfsUnit.program, X_OK) == 0 else {
      throw .vault(VaultFailure(.noProgram, "\(GocryptfsUnit.program): \(errnoText())"), device: path)
    }
    guard access("/dev/fuse", F_OK) == 0 else { throw .mount(.noFUSE("/dev/fuse: \(errnoText())"), path: vault.mount) }
    if let reason = untrustedReason(parentDirectory(of: path)) {
      throw .usage("\(reason): the vault's directory would not be safe there", hint: "take a directory of root's")
    }
    if let status = fileStatus(path) {
      guard mb_s_isdir(status.st_mode) != 0, let names = listDirectory(path) else {
        throw .vault(VaultFailure(.notEmpty, "there is such a file already"), device: path)
      }
      // It has its name only once it is whole.
      if names.contains(GocryptfsConfiguration.fileName) { return .whole(uuid: "", filesystem: "") }
      guard names.isEmpty else {
        throw .vault(VaultFailure(.notEmpty, names.prefix(3).joined(separator: ", ")), device: path)
      }
    }
    return fileStatus(unfinishedPath) == nil ? .empty : .unfinished
  }
}
