import CLinux
import Glibc
import Linux
import MailbootCore
import Text

/// What stands against a move, before anything is changed.
extension VaultMove {
  /// What stands against it, each with what to do.
  public func refuse() throws(Failure) {
    try TreeCopy.requireProgram()
    guard old.vault.kind.isEncrypted, new.vault.kind.isEncrypted else {
      throw .usage(
        "a vault of type \"none\" is the directory \(mount) itself, and nothing can be mounted in its place while it is used",
        hint: "move its contents by hand: `mailboot lock`, `mv \(mount) \(mount).before`, then copy with `rsync -aHAXS`"
      )
    }
    guard old.vault.mount == new.vault.mount else {
      throw .usage(
        "the new vault is to be mounted at \(new.vault.mount), and mail expects it at \(mount)",
        hint: "set `mount = \"\(mount)\"` in \(paths.next)")
    }
    guard new.vault.table != old.vault.table, !isSameStorage else {
      throw .usage("\(paths.next) names the vault that is in use", hint: "name the new one's `device` there")
    }
    if let nested { throw nested }
    if paths.has(paths.previous), ![old.vault.table, kept(as: uuid).table].contains(paths.previousTable) {
      throw .usage(
        "the vault before this one is still kept (\(paths.previous)), and only one is",
        hint: "when you don't need it any more: `mailboot vault move --forget`")
    }
    try refuseFstab(new.vault)
    guard try state(of: old).isOpen, MountTable.current()?.mount(on: mount) != nil else {
      throw .usage("the vault is closed: what is in it cannot be copied", hint: "run `mailboot` first")
    }
    try VaultKinds.make(old).checkOpen(tools)
    try refuseBorders()
  }

  /// One that lies in the other would be closed with it.
  private var nested: Failure? {
    func place(_ vault: Configuration.Vault) -> String? {
      vault.shownDevice.flatMap { resolvedPath(DeviceResolver.path(for: $0)) }
    }
    guard let next = place(new.vault) else { return nil }
    let around = [mount, resolvedPath(mount), place(old.vault)].compactMap(\.self).first { isPath(next, within: $0) }
    let inside = place(old.vault).flatMap { isPath($0, within: next) ? $0 : nil }
    guard around != nil || inside != nil else { return nil }
    return .usage(
      "the new vault (\(next)) and the one in use (\(around ?? inside ?? mount)) lie in each other",
      hint: "make the new one somewhere else; \(paths.next) names it")
  }

  /// What is another file system would stay behind, and nobody who compares would see it.
  private func refuseBorders() throws(Failure) {
    let table = MountTable.current()
    if let inner = table?.entries.first(where: { isPath($0.mountPoint, within: mount) && $0.mountPoint != mount }) {
      throw .usage(
        "\(inner.mountPoint) is a file system of its own, mounted inside the vault: neither it nor what it hides would be moved",
        hint: "`umount \(inner.mountPoint)`, then once more")
    }
    guard ["btrfs", "bcachefs"].contains(table?.mount(on: mount)?.filesystem) else { return }
    let borders = try TreeCopy(from: mount, to: mount, adviceIfFull: adviceIfFull, reactor: work.reactor).borders()
    if let border = borders.first {
      throw .usage(
        "\(border)\(borders.count > 1 ? " and \(borders.count - 1) more are subvolumes" : " is a subvolume"): what is in there"
          + " would not be moved",
        hint: "put what is in there into a directory first (`cp -a --reflink`), and remove the subvolume"
          + " (`btrfs subvolume delete`)")
    }
  }

  private var isSameStorage: Bool {
    guard let one = old.vault.shownDevice, let other = new.vault.shownDevice else { return false }
    return resolvedPath(DeviceResolver.path(for: one)) == resolvedPath(DeviceResolver.path(for: other))
  }

  /// A line that mounts something else there than the vault to come would be in its way.
  func refuseFstab(_ vault: Configuration.Vault) throws(Failure) {
    guard let line = readSmallText("/etc/fstab").flatMap({ FstabEntry.line(for: mount, in: $0) }) else { return }
    guard vault.kind != .luks || line.source != "/dev/mapper/\(vault.mapping)" else { return }
    throw .usage(
      "/etc/fstab mounts \(line.source) at \(mount), which would be in the way of the new vault",
      hint:
        "take that line out now, its options into `options` of [vault]: `mailboot` mounts the vault in use without it,"
        + " too; then `systemctl daemon-reload`, and once more")
  }

  /// Whoever uses the vault and belongs to no service.
  func refuseUsers(kill: Bool) throws(Failure) {
    let users = HostUsers(
      configuration: old, kind: VaultKinds.make(old), units: tools.units, caller: getppid())
    var use = try users.look(withServices: false)
    if kill, use.obstacles.isEmpty, !use.holders.isEmpty, !use.holders.contains(where: \.isAncestor) {
      try users.end(use.holders)
      use = try users.look(withServices: false)
    }
    if !use.isEmpty { throw .inUse(use, stopped: false) }
  }

  var adviceIfFull: String {
    let device = new.vault.shownDevice ?? "?"
    let isDevice = fileStatus(DeviceResolver.path(for: device)).map { mb_s_isblk($0.st_mode) != 0 } ?? false
    return "mail stays in the vault in use; make a larger new one (`rm \(shellWord(paths.next))"
      + (isDevice ? "" : "`, `rm -r \(shellWord(device))")
      + "`, then `mailboot vault create ... --next`), or delete what nobody"
      + " needs, then `mailboot vault move` again"
  }
}
