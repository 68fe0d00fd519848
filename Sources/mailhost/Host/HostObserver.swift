import CLinux
import Glibc
import Linux
import MailHost

/// Looks at the host, and finds what differs from the settings. Runs no other program.
struct HostObserver {
  let settings: HostSettings
  let facts: HostFacts
  let root: HostRoot
  let files: [RenderedFile]
  /// What the packages that were installed a moment ago have put there: nobody's yet.
  var isFresh = false
  /// Files that the administrator has decided about in this call.
  var decisions = Decisions()

  struct Decisions {
    var keep: Set<String> = []
    var overwrite: Set<String> = []
  }

  /// The plan, and what the files that are to change hold now.
  struct Observation {
    var plan = HostPlan()
    /// Of each file whose text, mode or owner is not as it is to be, or that is no longer ours.
    var readers: Set<HostFile.Reader> = []
    /// What each file that is ours, or is to be, holds now.
    var present: [String: HostRoot.Stored] = [:]
    var isOpen = false
    /// Of the call that asked.
    var decisions = Decisions()
  }

  private var store: GenerationStore { GenerationStore(root: root) }
  private var services: Services { Services(redisName: facts.versions.redisName) }
  private var managesServices: Bool { settings.manage.services && root.isHere && Services.isThere }

  func observe() throws(HostFailure) -> Observation {
    var seen = Observation()
    seen.decisions = decisions
    seen.isOpen = Vault(settings: settings, root: root).isOpen
    observePackages(&seen)
    observeUsers(&seen)
    let kept = try explained { () throws(SystemError) in try store.keptPaths() }
    try observeFiles(&seen, kept)
    if managesServices { observeUnits(&seen) }
    observeObstacles(&seen)
    if seen.plan.changes.contains(where: { [.package, .user, .group].contains($0.kind) }) {
      // Whose the rest will be is known only then.
      seen.plan.changes.append(
        HostChange(.directory, .wait, settings.vault, reason: "for the packages and users above"))
    } else if seen.isOpen {
      seen.plan.changes += try VaultContents(
        settings: settings, facts: facts, root: root, files: files,
        decisions: Decisions(keep: decisions.keep.union(kept), overwrite: decisions.overwrite), report: { _ in }
      ).changes()
    } else if store.isWaiting {
      seen.plan.changes.append(
        HostChange(.directory, .wait, settings.vault, reason: "is closed; what is in it is made at the next unlock"))
    }
    seen.plan.warnings += Promises.warnings(settings.own).map(\.description)
    return seen
  }

  private func observePackages(_ seen: inout Observation) {
    let installed = InstalledPackages.read(root.path("/var/lib/dpkg/status"))
    let missing = settings.packages(redisName: facts.versions.redisName).filter { installed.version($0) == nil }
    if settings.manage.packages {
      seen.plan.changes += missing.map { HostChange(.package, .install, $0) }
    } else if !missing.isEmpty {
      seen.plan.obstacles.append(
        HostObstacle(
          "missing packages, and [manage] packages is false: " + missing.joined(separator: ", "),
          hint: "`apt-get install --no-install-recommends \(missing.joined(separator: " "))`"))
    }
  }

  private func observeUsers(_ seen: inout Observation) {
    let users = root.users
    var missing: [HostChange] = []
    if users.groupNumber("vmail") == nil { missing.append(HostChange(.group, .create, "vmail")) }
    if users.number("vmail") == nil {
      missing.append(HostChange(.user, .create, "vmail", reason: "mail belongs to it"))
    }
    if settings.manage.users {
      seen.plan.changes += missing
    } else if !missing.isEmpty {
      seen.plan.obstacles.append(
        HostObstacle(
          "there is no user vmail, and [manage] users is false",
          hint: "make it, with a group of that name; hosts of this kind have the number 5000 for both"))
    }
  }

  private func observeFiles(_ seen: inout Observation, _ kept: Set<String>) throws(HostFailure) {
    let current = try explained { () throws(SystemError) in try store.current() }
    var wanted: Set<String> = []
    let packaged = PackagedFiles(root: root.prefix)
    for file in files where !settings.isInVault(file.file.path) && file.file.syntax != .sieve {
      let path = file.file.path
      wanted.insert(path)
      let there = try explained { () throws(SystemError) in try root.read(path) }
      seen.present[path] = there
      let lastWritten = try explained { () throws(SystemError) in
        try current.flatMap { generation throws(SystemError) in try store.text(path, of: generation.number) }
      }
      let isStock =
        isFresh
        || there.map { StockFiles.contains(file.file, text: $0.text, knownMD5: packaged.sums(of: path)) } ?? false
      var state = state(of: file, onDisk: there?.text, lastWritten: lastWritten, isStock: isStock)
      // What a package's script did goes with what we would write otherwise now; and what somebody has written as we would now becomes
      // ours, so that it is no edit later.
      if [.package, .same].contains(state), lastWritten.map({ !file.file.syntax.saysTheSame($0, file.text) }) ?? false {
        state = .ours
      }
      if let change = change(file, there, state, isKept: kept.contains(path) || decisions.keep.contains(path)) {
        seen.plan.changes.append(change)
        if ![.keep, .decide].contains(change.action) { seen.readers.insert(file.file.reader) }
      }
    }
    for entry in current?.entries ?? [] where !wanted.contains(entry.path) && entry.present != nil {
      guard let there = try explained({ () throws(SystemError) in try root.read(entry.path) }) else { continue }
      seen.present[entry.path] = there
      seen.plan.changes.append(HostChange(.file, .remove, entry.path, reason: "is not needed any more"))
      if let reader = HostFile.Reader(rawValue: entry.reader) { seen.readers.insert(reader) }
    }
  }

  private func change(
    _ file: RenderedFile, _ there: HostRoot.Stored?, _ state: FileState, isKept: Bool
  ) -> HostChange? {
    let path = file.file.path
    let diff = there.map { UnifiedDiff.lines($0.text, file.text, context: 2) } ?? []
    if isKept, ![.same, .absent].contains(state) {
      return HostChange(.file, .keep, path, reason: "stays as you have it", diff: diff)
    }
    let attributes = Generation.Attributes(mode: file.file.mode, owner: file.file.owner, group: file.file.group)
    switch state {
    case .absent: return HostChange(.file, .create, path)
    case .same, .package:
      guard let there, there.attributes != attributes else { return nil }
      return HostChange(
        .file, .change, path,
        reason: "is \(there.attributes.owner):\(there.attributes.group) \(octal(there.attributes.mode)), not "
          + "\(attributes.owner):\(attributes.group) \(octal(attributes.mode))")
    case .ours: return HostChange(.file, .change, path, diff: diff)
    case .stock: return HostChange(.file, .change, path, reason: "is the package's own", diff: diff)
    case .edited, .foreign:
      let reason = state == .edited ? "was edited since we wrote it" : "is not ours"
      return HostChange(
        .file, decisions.overwrite.contains(path) ? .change : .decide, path, reason: reason, diff: diff)
    }
  }

  private func observeUnits(_ seen: inout Observation) {
    let units = settings.units(redisName: facts.versions.redisName)
    for unit in units {
      let wants = "/etc/systemd/system/multi-user.target.wants/\(unit).service"
      var status = stat()
      if lstat(wants, &status) != 0 {
        seen.plan.changes.append(HostChange(.unit, .enable, unit, reason: "so that upgrades restart it"))
      }
    }
    let guarded = units.allSatisfy {
      fileStatus("/etc/systemd/system/\($0).service.d/50-mailboot-guard.conf") != nil
    }
    if !guarded, settings.vaultType != "none" {
      seen.plan.changes.append(
        HostChange(.guarding, .enable, "mailboot guard", reason: "no service starts while the vault is closed"))
    }
  }

  private func observeObstacles(_ seen: inout Observation) {
    for path in [settings.certificate, settings.certificateKey] where fileStatus(root.path(path)) == nil {
      seen.plan.obstacles.append(
        HostObstacle(
          "\(path) is not there: \(errnoText())",
          hint: "a certificate for this host: `certbot certonly --standalone -d HOST`, or set mail_ssl_cert and "
            + "mail_ssl_certkey"))
    }
    if root.isHere {
      for taken in ListeningPorts.taken() {
        seen.plan.obstacles.append(
          HostObstacle(
            "port \(taken.port) is taken by \(taken.program) (process \(taken.process))", hint: "stop and disable it"))
      }
    }
  }
}
