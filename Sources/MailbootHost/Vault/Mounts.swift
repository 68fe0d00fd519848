import CLinux
import Glibc
import Linux
import MailbootCore
import Systemd

/// Mount units: systemd mounts, so that it also orders the shutdown and every service sees the mount.
struct Mounts {
  let units: UnitControl
  /// Seconds one mount or unmount may take: long, because a file system check of a large disk is not to be cut off. Systemd itself
  /// gives up on a device that does not appear, and on mount(8), after 90 s; a person may at any time.
  private let timeout: Double

  init(units: UnitControl, timeout: Double = 3600) {
    self.units = units
    self.timeout = timeout
  }

  /// Makes sure that there is an empty directory to mount on: a missing one is made.
  static func prepare(_ path: String) throws(Failure) {
    var status = stat()
    if lstat(path, &status) != 0 {
      guard errno == ENOENT, mkdir(path, 0o755) == 0 else {
        throw .mount(.refused(result: "the mount point cannot be made: \(errnoText())", journal: []), path: path)
      }
      return
    }
    guard mb_s_isdir(status.st_mode) != 0 else { throw .mount(.notADirectory, path: path) }
    // What lies below an automount point cannot be seen.
    if MountTable.current()?.isAutomount(path) ?? false { return }
    guard let names = listDirectory(path) else {
      throw .mount(.refused(result: "the mount point cannot be read: \(errnoText())", journal: []), path: path)
    }
    guard names.isEmpty else { throw .mount(.notEmpty(Array(names.prefix(3))), path: path) }
  }

  /// Nothing may lie in the bare directory, and nothing else be mounted there. A missing one is made later.
  static func checkFree(_ path: String) throws(Failure) {
    if let mounted = MountTable.current()?.mount(on: path) {
      throw .mount(.occupied(by: mounted.source), path: path)
    }
    if fileStatus(path) != nil { try prepare(path) }
  }

  /// Starts fstab's mount unit for the path, else a transient one.
  func start(path: String, what: String, type: String, options: [String], fsck: Bool) throws(Failure) {
    let unit = UnitName.mount(forPath: path)
    let begun = Reactor.wall()
    var details = try units.details(of: [unit])[unit]
    let inFstab = readSmallText("/etc/fstab").flatMap { FstabEntry.line(for: path, in: $0) } != nil
    if details?.needsReload ?? false || inFstab && details?.state.isNotFound ?? true {
      // fstab has changed since systemd read it. By systemctl, because Ctrl-C ends this wait and no call of ours: on a slow machine it
      // takes long.
      let reload = try startChild(["/usr/bin/systemctl", "daemon-reload"])
      _ = try reload.run(units.reactor, until: Reactor.monotonic() + timeout)
      details = try units.details(of: [unit])[unit]
    }
    // An earlier failure would be taken for this one's.
    try units.resetFailed(unit)
    let job: JobID
    if inFstab || !(details?.state.isNotFound ?? true) {
      job = try units.start(unit)
    } else {
      job = try units.startTransientMount(
        name: unit, what: what, type: type, options: options, description: "mailboot: \(what) on \(path)",
        runFsck: fsck)
    }
    let result: String?
    do {
      result = try units.wait(for: job, until: Reactor.monotonic() + timeout)
    } catch {
      // Interrupted: the mount must not come true behind our back.
      _ = try? stop(path: path)
      throw error
    }
    if result == "done", MountTable.current()?.mount(on: path) != nil { return }
    var journal = UnitControl.journal(unit, sinceWall: begun)
    if fsck { journal += UnitControl.journal(.fsck(forDevice: what), sinceWall: begun) }
    // One that somebody cancelled may have come true all the same; whoever takes back this run knows of none.
    if result == nil || MountTable.current()?.mount(on: path) != nil { _ = try? stop(path: path) }
    // What was shown is not to stay behind in `systemctl --failed`.
    for failed in fsck ? [unit, .fsck(forDevice: what)] : [unit] { try? units.resetFailed(failed) }
    throw .mount(
      .refused(result: result.map(Self.words) ?? "no end after \(Int(timeout)) s", journal: journal), path: path)
  }

  /// A job's result as people say it.
  private static func words(_ result: String) -> String {
    switch result {
    case "dependency": "its device or its file system check failed"
    case "timeout": "it took too long"
    case "canceled": "somebody cancelled it"
    case "done": "systemd says it is done, but nothing is mounted"
    case "failed": "mounting it failed"
    default: "the job's result is \"\(result)\""
    }
  }

  /// Stops the mount unit and waits until nothing is mounted there.
  @discardableResult
  func stop(path: String) throws(Failure) -> StepOutcome {
    let unit = UnitName.mount(forPath: path)
    var result: String?
    for attempt in 0..<3 {
      if attempt > 0 { try units.reactor.sleep(seconds: 0.5) }
      if MountTable.current()?.mount(on: path) == nil && attempt > 0 { return .changed }
      result = try units.wait(for: try units.stop(unit), until: Reactor.monotonic() + timeout)
      if MountTable.current()?.mount(on: path) == nil {
        // An earlier try that found it busy leaves the unit failed, although this one has unmounted it.
        try? units.resetFailed(unit)
        return .changed
      }
    }
    throw .mount(.busy(result.map { "the unmount ended as \"\($0)\"" } ?? "no end after \(Int(timeout)) s"), path: path)
  }
}
