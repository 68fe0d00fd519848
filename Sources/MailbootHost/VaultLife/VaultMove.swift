import CLinux
import Glibc
import Linux
import MailbootCore
import SecretMemory
import Systemd

/// `mailboot vault move`: everything into another vault, and then that one in its place.
///
/// What a cut leaves: before the rename of the table the old vault is the one in use, and the new one has part of a copy, on which the
/// next move goes on; after it the new one is, complete and verified. The old one is never written to, and kept.
public final class VaultMove {
  let work: VaultWork
  let old: Configuration
  let new: Configuration
  let paths: MovePaths
  private let report: (Progress) -> Void
  private let progress: (String) -> Void
  let tools: VaultTools
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

  var mount: String { old.vault.mount }
  private var freezing: VaultFreeze { VaultFreeze(mount: mount) }

  func state(of configuration: Configuration) throws(Failure) -> Opening {
    guard let table = MountTable.current() else { throw .system("/proc is not mounted") }
    return try VaultKinds.make(configuration).observe(table).opening
  }

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
  func withNew(
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
    let uuid = uuid
    try paths.write(paths.previous, Array(paths.noting(uuid, in: kept(as: uuid).table).utf8))
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
  func kept(as uuid: String?) -> Configuration.Vault {
    var vault = old.vault
    if vault.kind == .luks, vault.device == nil { vault.device = uuid.map { "UUID=\($0)" } }
    return vault
  }

  /// Of the vault in use: after a boot its device may have another name.
  var uuid: String? {
    guard old.vault.kind == .luks, let (device, header) = try? work.luks() else { return nil }
    return (try? work.facts(device, header: header))?.uuid
  }

  func lock(_ configuration: Configuration, kill: Bool) throws(Failure) {
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

  func bringUp(_ configuration: Configuration, _ passphrase: borrowing SecretBytes) throws(Failure) {
    work.reactor.listenAgain()
    // The service has read the old table.
    _ = try work.tool(["/usr/bin/systemctl", "try-restart", "mailboot.service"])
    let source = try SecretOnce(passphrase)
    _ = try unlocker(configuration).run(source: source, start: true)
  }

}
