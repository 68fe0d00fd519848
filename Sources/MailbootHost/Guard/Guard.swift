import Glibc
import MailbootCore
import Systemd

/// `mailboot guard`: what keeps the services from running, and anybody from writing, where the vault is not mounted.
public struct Guard {
  private let configuration: Configuration
  private let files: GuardFiles

  public init(configuration: Configuration) {
    self.init(configuration: configuration, files: GuardFiles())
  }

  init(configuration: Configuration, files: GuardFiles) {
    self.configuration = configuration
    self.files = files
  }

  private var vault: Configuration.Vault { configuration.vault }

  /// The mount points that lie outside the vault.
  private var mountPoints: [String] {
    let encrypted = configuration.vaults.filter(\.kind.isEncrypted)
    let binds = configuration.binds.filter { bind in
      (configuration.otherVault(of: bind.from) ?? vault).kind.isEncrypted
    }.map(\.to)
    let all = encrypted.map(\.mount) + binds
    return all.filter { path in !encrypted.contains { path.hasPrefix($0.mount + "/") } }
  }

  private var isNeeded: Bool { configuration.vaults.contains(where: \.kind.isEncrypted) }

  /// What is guarded now. Needs no privilege; without it the bare directory below a mount is unknown.
  public func report() throws(Failure) -> GuardReport {
    // What is always there need not be guarded.
    let guarded = isNeeded ? try guardedUnits(try manager()) : nil
    let wanted = guarded?.names.map(\.rawValue) ?? []
    var units: [GuardReport.Unit] = []
    for unit in wanted {
      let text = try dropIn(
        isDoor: guarded?.doors.contains(UnitName(unit)) ?? false, vaults: guarded?.vaults[UnitName(unit)] ?? [])
      units.append(GuardReport.Unit(name: unit, file: files.file(of: unit), state: state(of: files.find(unit), text)))
    }
    for found in files.all() where found.isOurs && !wanted.contains(found.unit) {
      units.append(GuardReport.Unit(name: found.unit, file: files.file(of: found.unit), state: .stale))
    }
    return GuardReport(
      units: units,
      mountPoints: mountPoints.map { GuardReport.MountPoint(path: $0, state: BareMountPoint(path: $0).state()) })
  }

  private func state(of found: GuardFiles.Found?, _ text: String) -> GuardReport.UnitState {
    guard let found else { return .unguarded }
    if !found.isOurs { return .foreign }
    return found.text == text ? .guarded : .differs
  }

  /// Guards everything, and takes back what is not configured any more.
  /// - Parameter warn: told what could not be guarded, which holds nothing else up.
  public func install(warn: (String) -> Void) throws(Failure) -> [GuardAction] {
    guard isNeeded else {
      throw .usage(
        "there is nothing to guard: with type \"none\" \(vault.mount) is always there",
        hint: "`mailboot guard remove` takes back what is left from another type")
    }
    let manager = try manager()
    let units = try guardedUnits(manager)
    let before = files.all().filter(\.isOurs)
    var actions: [GuardAction] = []
    var isChanged: Bool { actions.contains { $0.outcome == .changed } || units.needsReload }
    do throws(Failure) {
      for unit in units.names.map(\.rawValue) {
        if let found = files.find(unit), !found.isOurs {
          warn("\(files.file(of: unit)) is not ours and is left as it is: \(unit) is not guarded")
          continue
        }
        let text = try dropIn(
          isDoor: units.doors.contains(UnitName(unit)), vaults: units.vaults[UnitName(unit)] ?? [])
        actions.append(
          GuardAction(subject: unit, action: files.file(of: unit), outcome: try files.write(text, for: unit)))
      }
      actions += try removeFiles(before.filter { !units.names.map(\.rawValue).contains($0.unit) })
    } catch {
      // What could be written is to hold.
      if isChanged { try? reload(manager) }
      throw error
    }
    let isMounted = MountTable.current()?.mount(on: vault.mount) != nil
    // Mail is up already, and the next upgrade is to be able to restart it.
    if isMounted, !units.running.isEmpty { try VerifiedStamp().make(door: units.running.contains { units.isDoor($0) }) }
    if isChanged { try reload(manager) }
    for path in formerMountPoints(before) { actions.append(makeWritable(path, warn)) }
    for path in mountPoints { actions.append(makeImmutable(path, warn)) }
    if !isMounted {
      for unit in units.running {
        warn("\(unit) runs although \(vault.mount) is not mounted: stopped, it starts again only after the unlock")
      }
    }
    return actions
  }

  /// Takes back all that `install` does, also without systemd.
  public func remove(warn: (String) -> Void) throws(Failure) -> [GuardAction] {
    let before = files.all().filter(\.isOurs)
    // An administrator may have made it immutable by himself: without a file of ours it is not ours to undo.
    guard !before.isEmpty else { return [] }
    // The files last: as long as they are there this can be tried again.
    var actions = (formerMountPoints(before) + mountPoints).map { makeWritable($0, warn) }
    actions += try removeFiles(before)
    if access("/run/systemd/system", F_OK) == 0 { try reload(try manager()) }
    return actions
  }

  private func removeFiles(_ found: [GuardFiles.Found]) throws(Failure) -> [GuardAction] {
    var actions: [GuardAction] = []
    for file in found {
      try files.remove(file.unit)
      actions.append(GuardAction(subject: file.unit, action: "removed", outcome: .changed))
    }
    return actions
  }

  /// Mount points our files name and the configuration does not.
  private func formerMountPoints(_ found: [GuardFiles.Found]) -> [String] {
    Set(found.flatMap { $0.text.map(GuardDropIn.mounts(in:)) ?? [] }).subtracting(mountPoints).sorted()
  }

  private func makeImmutable(_ path: String, _ warn: (String) -> Void) -> GuardAction {
    let (state, outcome) = BareMountPoint(path: path).set(immutable: true)
    switch state {
    case .immutable: return GuardAction(subject: path, action: "immutable", outcome: outcome)
    case .notEmpty(let names):
      warn(
        "the bare directory \(path) is not empty (\(names.joined(separator: ", "))) and stays writable: lock the vault, move"
          + " that away, then run `mailboot guard install` again")
    case .unsupported: warn("\(path) stays writable while locked: its file system has no immutable flag")
    case .unknown(let why): warn("\(path) stays writable while locked: \(why)")
    case .writable, .missing: warn("\(path) could not be made immutable")
    }
    return GuardAction(subject: path, action: state.word, outcome: outcome)
  }

  private func makeWritable(_ path: String, _ warn: (String) -> Void) -> GuardAction {
    let (state, outcome) = BareMountPoint(path: path).set(immutable: false)
    switch state {
    case .immutable: warn("\(path) is still immutable")
    case .unknown(let why): warn("\(path): \(why)")
    case .writable, .notEmpty, .missing, .unsupported: break
    }
    return GuardAction(subject: path, action: state.word, outcome: outcome)
  }

  /// - Parameter vaults: names of the further vaults that the unit waits for, too.
  private func dropIn(isDoor: Bool, vaults: Set<String>) throws(Failure) -> String {
    let needed = [vault] + configuration.otherVaults.filter { vaults.contains($0.name) }
    let mounts = needed.filter(\.kind.isEncrypted).map(\.mount)
    let units = mounts.map { (path: $0, unit: UnitName.mount(forPath: $0).rawValue) }
    guard let text = GuardDropIn.text(mounts: units, isDoor: isDoor) else {
      throw .system("systemd's unit files cannot hold the mount point \(mounts.joined(separator: " or "))")
    }
    return text
  }

  private func manager() throws(Failure) -> SystemdManager {
    do { return try SystemdManager() } catch { throw Failure(error) }
  }

  private func guardedUnits(_ manager: SystemdManager) throws(Failure) -> GuardedUnits {
    do { return try GuardedUnits(configuration, manager) } catch { throw Failure(error) }
  }

  private func reload(_ manager: SystemdManager) throws(Failure) {
    do { try manager.reload() } catch { throw Failure(error) }
  }
}
