import CLinux
import Glibc
import Linux
import MailbootCore
import SecretMemory
import Systemd
import Text

/// `mailboot vault move`: everything into another vault, and then that one in its place.
///
/// What a cut leaves: before the rename of the table the old vault is the one in use, and the new one has part of a copy, on which the
/// next move goes on; after it the new one is, complete and verified. The old one is never written to, and kept.
public final class VaultMove {
  private let work: VaultWork
  private let old: Configuration
  private let new: Configuration
  private let paths: MovePaths
  private let report: (Progress) -> Void
  private let progress: (String) -> Void
  private let tools: VaultTools
  /// Where the new vault is mounted meanwhile.
  static let place = "/run/mailboot/move"

  /// The new vault that is open there, while a move goes on or after one that was killed; nil: none.
  static func remains(_ table: MountTable?) -> Configuration.Vault? {
    guard let mounted = table?.mount(on: place) else { return nil }
    var vault = Configuration.Vault(further: "move")
    vault.mount = place
    vault.device = mounted.source
    if mounted.source.hasPrefix("/dev/mapper/") {
      vault.type = .luks
      vault.mapping = String(mounted.source.dropFirst("/dev/mapper/".count))
      vault.device = nil
    } else {
      guard mounted.filesystem == GocryptfsVault.fileSystemType else { return nil }
      vault.type = .gocryptfs
    }
    return vault
  }

  /// - Parameters:
  ///   - work: with the configuration as it is.
  ///   - next: the whole configuration as it will be.
  ///   - progress: what the copy says of how far it is.
  public init(
    _ work: VaultWork, next: Configuration, paths: MovePaths, report: @escaping (Progress) -> Void,
    progress: @escaping (String) -> Void
  ) throws(Failure) {
    self.work = work
    old = work.configuration
    new = next
    self.paths = paths
    self.report = report
    self.progress = progress
    tools = VaultTools(
      worker: work.worker, units: try UnitControl(reactor: work.reactor), deviceTimeout: 5, warn: work.note)
  }

  private var mount: String { old.vault.mount }
  private var freezing: VaultFreeze { VaultFreeze(mount: mount) }

  // MARK: Before anything is changed

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
    if paths.has(paths.previous), ![old.vault.table, keptVault.table].contains(paths.previousTable) {
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
  private func refuseFstab(_ vault: Configuration.Vault) throws(Failure) {
    guard let line = readSmallText("/etc/fstab").flatMap({ FstabEntry.line(for: mount, in: $0) }) else { return }
    guard vault.kind != .luks || line.source != "/dev/mapper/\(vault.mapping)" else { return }
    throw .usage(
      "/etc/fstab mounts \(line.source) at \(mount), which would be in the way of the new vault",
      hint:
        "take that line out now, its options into `options` of [vault]: `mailboot` mounts the vault in use without it,"
        + " too; then `systemctl daemon-reload`, and once more")
  }

  private func state(of configuration: Configuration) throws(Failure) -> Opening {
    guard let table = MountTable.current() else { throw .system("/proc is not mounted") }
    return try VaultKinds.make(configuration).observe(table).opening
  }

  // MARK: The move

  /// Copies, switches, and brings everything up again.
  /// - Parameters:
  ///   - passphrase: of the new vault.
  ///   - kill: end processes that use the vault and belong to no service.
  /// - Returns: what was copied, counted.
  public func run(_ passphrase: borrowing SecretBytes, kill: Bool) throws(Failure) -> String {
    if chdir("/") != 0 { throw .system("/: \(errnoText())") }
    var counted = ""
    var hasStopped = false
    do throws(Failure) {
      try work.alone("vault move") { () throws(Failure) in
        try freezing.thaw()
        try withNew(new, passphrase) { (place) throws(Failure) in
          let copy = TreeCopy(from: mount, to: place, adviceIfFull: adviceIfFull, reactor: work.reactor)
          let room = try copy.room(sharesHost: new.vault.kind == .gocryptfs)
          if let shortage = room.shortage { throw .usage(shortage, hint: adviceIfFull) }
          work.note("copying while mail goes on; Ctrl-C leaves everything as it is, and the next `move` goes on")
          let hasBegun = try copy.hasBegun()
          if hasBegun { work.note("a part of a copy is there already; both sides are read in full to go on with it") }
          try copy.copy(isLive: true, readsAll: hasBegun, progress: progress)
          try refuseUsers(kill: kill)
          hasStopped = true
          try stopAll()
          try freezing.freeze()
          work.note("mail is stopped; copying what has changed meanwhile")
          try copy.copy(isLive: false, progress: progress)
          work.note("reading both sides in full")
          let differences = try copy.differences()
          guard differences.isEmpty else {
            throw .system("the copy differs from the vault: " + differences.prefix(3).joined(separator: "; "))
          }
          counted = try copy.counts(of: place)
          let original = try copy.counts(of: mount)
          guard counted == original else {
            throw .system("the vault has \(original), the copy \(counted)")
          }
          try settle(place)
        }
        try switchTables(kill: kill)
      }
    } catch {
      throw comeBack(from: error, isStopped: hasStopped)
    }
    try bringUp(new, passphrase)
    return counted
  }

  /// Opens a vault beside the mount point, and closes it again whatever becomes of `body`.
  private func withNew(
    _ configuration: Configuration, _ passphrase: borrowing SecretBytes, _ body: (String) throws(Failure) -> Void
  ) throws(Failure) {
    var beside = configuration
    beside.vault.mount = Self.place
    beside.binds = []
    if beside.vault.kind == .luks { beside.vault.mapping += "-move" }
    let kind = VaultKinds.make(beside)
    // What one that was killed has left.
    try close(kind)
    let device = try kind.checkClosed(tools, byToken: false)
    if let why = kind.unusable(passphrase) { throw .passphraseUnusable(why) }
    do throws(Failure) {
      _ = try kind.open(passphrase, device: device, byToken: false, tools)
      _ = try kind.mount(tools)
      try body(Self.place)
    } catch {
      do throws(Failure) { try close(kind) } catch let second { throw .rollback(of: error, trouble: [second.summary]) }
      throw error
    }
    try close(kind)
  }

  private func close(_ kind: any VaultKind) throws(Failure) {
    _ = try kind.unmount(tools)
    _ = try kind.close(tools)
    rmdir(Self.place)
  }

  private var adviceIfFull: String {
    let device = new.vault.shownDevice ?? "?"
    let isDevice = fileStatus(DeviceResolver.path(for: device)).map { mb_s_isblk($0.st_mode) != 0 } ?? false
    return "mail stays in the vault in use; make a larger new one (`rm \(shellWord(paths.next))"
      + (isDevice ? "" : "`, `rm -r \(shellWord(device))")
      + "`, then `mailboot vault create ... --next`), or delete what nobody"
      + " needs, then `mailboot vault move` again"
  }

  private func refuseUsers(kill: Bool) throws(Failure) {
    let users = HostUsers(
      configuration: old, kind: VaultKinds.make(old), units: tools.units, caller: getppid())
    var use = try users.look(withServices: false)
    if kill, use.obstacles.isEmpty, !use.holders.isEmpty, !use.holders.contains(where: \.isAncestor) {
      try users.end(use.holders)
      use = try users.look(withServices: false)
    }
    if !use.isEmpty { throw .inUse(use, stopped: false) }
  }

  private func stopAll() throws(Failure) {
    let services = HostServices(configuration: old, units: tools.units, worker: work.worker, mayRollBack: false)
    for index in old.stopOrder {
      let step = Step.stop(old.services[index].name)
      let begun = Reactor.monotonic()
      report(.began(step))
      do throws(Failure) {
        let outcome = try services.stop(service: index)
        report(.ended(step, outcome, seconds: Reactor.monotonic() - begun, detail: nil))
      } catch {
        report(.failed(step, seconds: Reactor.monotonic() - begun))
        throw error
      }
    }
    let vault = HostVault(configuration: old, kind: VaultKinds.make(old), tools: tools, device: nil)
    for index in old.binds.indices.reversed() { try vault.unmountBind(index) }
  }

  /// From here on nothing is left half done by a signal.
  private func switchTables(kill: Bool) throws(Failure) {
    work.reactor.stopListening()
    let before = paths.read(paths.current)
    try paths.write(paths.previous, Array((paths.note(uuid) + keptVault.table).utf8))
    let next = paths.read(paths.next)
    try paths.takeNext()
    do throws(Failure) {
      try lock(old, kill: kill)
    } catch {
      // Nothing has written into the new one yet.
      if let next { try paths.write(paths.next, next) }
      if let before { try paths.write(paths.current, before) } else { try paths.remove(paths.current) }
      try paths.remove(paths.previous)
      throw error
    }
  }

  /// The vault in use as it is kept: with a name. Two LUKS devices are there from now on, and looking finds neither.
  private var keptVault: Configuration.Vault {
    var vault = old.vault
    if vault.kind == .luks, vault.device == nil { vault.device = uuid.map { "UUID=\($0)" } }
    return vault
  }

  /// Of the vault in use: after a boot its device may have another name.
  private var uuid: String? {
    guard old.vault.kind == .luks, let (device, header) = try? work.luks() else { return nil }
    return (try? work.facts(device, header: header))?.uuid
  }

  private func lock(_ configuration: Configuration, kill: Bool) throws(Failure) {
    let kind = VaultKinds.make(configuration)
    guard try state(of: configuration) != .closed else { return }
    let run = LockSequence(
      configuration: configuration,
      vault: HostVault(configuration: configuration, kind: kind, tools: tools, device: nil),
      services: HostServices(configuration: configuration, units: tools.units, worker: work.worker, mayRollBack: false),
      users: HostUsers(configuration: configuration, kind: kind, units: tools.units, caller: getppid()),
      clock: HostClock(), report: report)
    try run.lock(kill: kill)
    unlink(freezing.mark)
  }

  /// The old vault is open still: mail comes back.
  private func comeBack(from cause: Failure, isStopped: Bool) -> Failure {
    work.reactor.stopListening()
    do throws(Failure) {
      try freezing.thaw()
      guard isStopped else { return cause }
      work.note("mail comes back from the vault in use")
      _ = try unlocker(old).run(source: nil, start: true)
      return cause
    } catch {
      return .rollback(of: cause, trouble: [error.summary])
    }
  }

  private func unlocker(_ configuration: Configuration) throws(Failure) -> Unlocker {
    try Unlocker(configuration: configuration, reactor: work.reactor, report: report, warn: work.note)
  }

  private func bringUp(_ configuration: Configuration, _ passphrase: borrowing SecretBytes) throws(Failure) {
    work.reactor.listenAgain()
    // The service has read the old table.
    _ = try work.tool(["/usr/bin/systemctl", "try-restart", "mailboot.service"])
    let source = try SecretOnce(passphrase)
    _ = try unlocker(configuration).run(source: source, start: true)
  }

  // MARK: After a cut behind the switch

  /// Whether the tables are switched, and the vault before is open still: a cut came between.
  /// - Parameter previous: the configuration with the previous table.
  public func isCutAfterSwitch(_ previous: Configuration) -> Bool {
    let isOpen = (try? state(of: previous).isOpen) ?? false
    return isOpen && !((try? state(of: old).isOpen) ?? false)
  }

  /// Closes the one before and brings up the one in use.
  public func finish(_ previous: Configuration, _ passphrase: borrowing SecretBytes, kill: Bool) throws(Failure) {
    if chdir("/") != 0 { throw .system("/: \(errnoText())") }
    try work.alone("vault move") { () throws(Failure) in try lock(previous, kill: kill) }
    try bringUp(old, passphrase)
  }

  // MARK: Back

  /// How many files in the vault in use are newer than the switch; nil: it is closed.
  public func newerFiles() throws(Failure) -> Int? {
    guard try state(of: old).isOpen, MountTable.current()?.mount(on: mount) != nil else { return nil }
    let lines = try work.mustRun(
      ["/usr/bin/find", mount, "-xdev", "-type", "f", "-newer", paths.previous, "-printf", "x\\n"])
    return lines.count
  }

  /// The vault before takes the place of the one in use: this move's `next` is the previous one.
  public func back(_ passphrase: borrowing SecretBytes, kill: Bool) throws(Failure) {
    if chdir("/") != 0 { throw .system("/: \(errnoText())") }
    try refuseFstab(new.vault)
    guard paths.has(paths.current) else {
      throw .usage("\(paths.current) is gone: the tables cannot change places", hint: "correct [vault] by hand")
    }
    try work.alone("vault move") { () throws(Failure) in
      // A wrong passphrase is found while mail still goes on.
      try withNew(new, passphrase) { _ in }
      work.reactor.stopListening()
      if let uuid, let table = paths.read(paths.current) {
        try paths.write(paths.current, Array(paths.note(uuid).utf8) + table)
      }
      try paths.exchange()
      do throws(Failure) {
        try lock(old, kill: kill)
      } catch {
        try paths.exchange()
        throw error
      }
    }
    try bringUp(new, passphrase)
  }
}

/// A passphrase that is at hand, for one try.
private final class SecretOnce: PassphraseSource {
  let kind = UnlockSource.stdin
  let attempts = 1
  private var secret: SecretBytes?

  init(_ bytes: borrowing SecretBytes) throws(Failure) {
    do {
      var copy = try SecretBytes(capacity: max(1, bytes.count))
      try copy.append(contentsOf: bytes)
      secret = consume copy
    } catch {
      throw .system("\(error)")
    }
  }

  func ask(attempt: Int, stillWanted: () -> Bool) throws(Failure) -> PassphraseAnswer {
    guard let secret = secret.take() else { return .endOfInput }
    return .secret(secret)
  }

  /// Further vaults are not what moves: a person opens them.
  func askFurther(_ vault: String, attempt: Int, stillWanted: () -> Bool) throws(Failure) -> PassphraseAnswer {
    .endOfInput
  }

  func refused(empty: Bool) {}
}
