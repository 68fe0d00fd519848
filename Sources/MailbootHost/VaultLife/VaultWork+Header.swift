import CLinux
import Glibc
import Linux
import MailbootCore
import SecretMemory
import Text

/// What a restore would do.
public struct RestorePlan: Sendable {
  /// The backup.
  public var file: String
  /// The device or file that it goes to.
  public var target: String
  /// The name by which that was found, such as `PARTUUID=…`; nil: by looking.
  public var device: String?
  public var backup: HeaderReport
  /// What is there; nil: no header.
  public var now: HeaderReport?
  /// Why there is none.
  public var damage: VaultFailure?
  /// The same restore, which was cut off.
  public var interrupted: HeaderStore.RestoreMark?

  /// Whether this is what a cut has left. A sound header with other keys is one that somebody may need: nothing has been written to it
  /// yet, or it came since.
  func goesOn(with mark: HeaderStore.RestoreMark) -> Bool {
    guard mark.file == file, mark.isOnto(target, known: device) else { return false }
    return now.map { !$0.flaws.isEmpty || $0.table.fingerprint == backup.table.fingerprint } ?? true
  }
}

/// Backups of a LUKS header.
extension VaultWork {
  /// Path of the device or file that the header is on.
  func headerPath() throws(Failure) -> String {
    let (device, header) = try luks()
    return header ?? device
  }

  /// Looks at the vault's header, or at a backup.
  public func checkHeader(_ file: String? = nil) throws(Failure) -> (path: String, report: HeaderReport) {
    let path: String
    // The worker runs elsewhere.
    if let file { path = resolvedPath(file) ?? file } else { path = try headerPath() }
    switch try look(path) {
    case .header(let report): return (path, report)
    case .failed(let failure): throw .vault(failure, device: path)
    }
  }

  /// Whether a passphrase opens a header, that of a backup among them.
  public func testHeader(_ passphrase: borrowing SecretBytes, at path: String) throws(Failure) -> Int {
    try testKey(passphrase, device: path, header: nil).keyslot
  }

  private func look(_ path: String) throws(Failure) -> HeaderReply {
    try worker.ask(.checkHeader, CheckHeaderRequest(path: path), as: HeaderReply.self, reactor: reactor, timeout: 120)
  }

  /// Writes a backup of the header.
  ///
  /// - Parameter wanted: a file that is not there yet, or a directory; nil: beside the others.
  /// - Returns: where it is.
  public func backUpHeader(to wanted: String?) throws(Failure) -> (path: String, report: HeaderReport) {
    let (device, header) = try luks()
    return try alone("vault backup-header") { () throws(Failure) in
      let (_, now) = try checkHeader()
      let path = try backupPath(wanted, vault: now.table.uuid, suffix: "header")
      let temporary = "\(path).\(getpid()).new"
      unlink(temporary)
      let request = BackupHeaderRequest(device: device, header: header, file: temporary)
      let reply = try worker.ask(
        .backUpHeader, request, as: HeaderReply.self, reactor: reactor, timeout: 300)
      guard case .header(let report) = reply else {
        // A part of one is none.
        unlink(temporary)
        if case .failed(let failure) = reply { throw .vault(failure, device: header ?? device) }
        throw .system("no backup")
      }
      try finishBackup(temporary, path)
      let record = HeaderBackupRecord(
        uuid: report.table.uuid, path: path, at: Reactor.wall(), fingerprint: report.table.fingerprint,
        sha256: report.sha256)
      try headers.store(record)
      remember(headers.state(record.uuid, fingerprint: record.fingerprint))
      return (path, report)
    }
  }

  /// Gives a backup that is whole its name.
  func finishBackup(_ temporary: String, _ path: String) throws(Failure) {
    // In a directory of somebody else's a name may be another file by now.
    let descriptor = mb_open(temporary, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0)
    defer { if descriptor >= 0 { close(descriptor) } }
    var status = stat()
    guard descriptor >= 0, fstat(descriptor, &status) == 0, mb_s_isreg(status.st_mode) != 0,
      status.st_uid == geteuid(), status.st_nlink == 1, fchmod(descriptor, 0o600) == 0, rename(temporary, path) == 0
    else {
      let why = errnoText()
      unlink(temporary)
      throw .system("\(path): \(why)")
    }
    try settleNames(in: parentDirectory(of: path))
  }

  /// Where a backup goes: nowhere that is gone with the vault.
  func backupPath(_ wanted: String?, vault: String, suffix: String) throws(Failure) -> String {
    let now = timestamp(Reactor.wall()).filter { $0 != "-" && $0 != ":" }
    let name = "\(vault)-\(now).\(suffix)"
    var path: String
    if let wanted {
      path = wanted.hasPrefix("/") ? wanted : (resolvedPath(".") ?? "") + "/" + wanted
      if let status = fileStatus(path), mb_s_isdir(status.st_mode) != 0 { path += "/" + name }
    } else {
      try headers.prepare()
      path = headers.path + "/" + name
    }
    guard let directory = resolvedPath(parentDirectory(of: path)) else {
      throw .usage("\(parentDirectory(of: path)): \(errnoText())", hint: "make the directory first")
    }
    path = directory + "/" + (path.split(separator: "/").last ?? "")
    let settings = configuration.vault
    var inside = [settings.mount, resolvedPath(settings.mount)].compactMap(\.self)
    if settings.kind == .gocryptfs { inside += [settings.shownDevice.flatMap(resolvedPath)].compactMap(\.self) }
    for place in inside where path.hasPrefix(place + "/") {
      throw .usage(
        "\(path) is in the vault: the backup would be locked away with it",
        hint: "name a place outside, best on another machine's disk; without one it goes to \(headers.path)")
    }
    if fileStatus(path) != nil || errno != ENOENT {
      throw .usage("\(path) is there already", hint: "name a new file, or a directory")
    }
    return path
  }

  // MARK: Restoring

  /// Looks at both sides.
  /// - Parameter file: nil: the one of a restore that was cut off.
  /// - Parameter device: where it goes to; nil: where the header is. Without its header no device has a UUID or a label.
  /// - Parameter insisting: also a backup with which the data there cannot be decrypted.
  public func restorePlan(
    _ file: String?, device: String? = nil, insisting: Bool = false
  ) throws(Failure) -> RestorePlan {
    let target: String
    let name = device ?? configuration.vault.header ?? configuration.vault.device
    if let device {
      guard let path = resolvedPath(device) else { throw .vault(VaultFailure(.noDevice, errnoText()), device: device) }
      target = path
    } else {
      target = try headerPath()
    }
    let mark = headers.interruptedRestore(onto: target, known: name)
    guard let given = file ?? mark?.file else {
      throw .usage(
        "no backup is named, and no restore was cut off", hint: "name the file: `mailboot vault restore-header FILE`")
    }
    guard let file = resolvedPath(given) else {
      throw .usage("the backup \(given) cannot be used: \(errnoText())", hint: "see `ls \(headers.path)`")
    }
    if file == resolvedPath(target) {
      throw .usage("\(given) is the vault itself, and no backup of its header", hint: "see `ls \(headers.path)`")
    }
    let backup: HeaderReport
    switch try look(file) {
    case .failed(let failure):
      throw .usage("\(file) is no backup of a header: \(failure.detail)", hint: "see `ls \(headers.path)`")
    case .header(let report): backup = report
    }
    if let flaw = backup.flaws.first {
      throw .usage("the backup \(file) is damaged: \(flaw)", hint: "take another one; see `ls \(headers.path)`")
    }
    if let record = headers.record(backup.table.uuid), resolvedPath(record.path) == file,
      record.sha256 != backup.sha256
    {
      throw .usage("the backup \(file) was altered since it was written", hint: "take another copy of it")
    }
    var plan = RestorePlan(file: file, target: target, device: name, backup: backup)
    switch try look(target) {
    case .header(let report): plan.now = report
    case .failed(let failure) where [.notLUKS, .damagedHeader].contains(failure.kind): plan.damage = failure
    case .failed(let failure): throw .vault(failure, device: target)
    }
    if let now = plan.now, now.table.uuid != backup.table.uuid {
      throw .usage(
        "\(file) belongs to another vault: it has UUID \(backup.table.uuid), and \(target) has \(now.table.uuid)",
        hint: "is `device` in [vault] right? nothing was changed")
    }
    if plan.now == nil { try checkUnused(target) }
    plan.interrupted = headers.interruptedRestore(backup.table.uuid).flatMap { plan.goesOn(with: $0) ? $0 : nil }
    if !insisting, plan.interrupted == nil, let failure = otherKey(plan) { throw failure }
    return plan
  }

  /// Why a backup would be the end of what is there: passphrases come and go, but the data has one key.
  private func otherKey(_ plan: RestorePlan) -> Failure? {
    guard let now = plan.now, now.volume != plan.backup.volume else { return nil }
    let insist = "--force puts it there all the same, and what is there now is kept"
    if now.isBeingRekeyed {
      return .usage(
        "\(plan.target) is being given a new key, and \(plan.file) does not know how far that is: what has the new key"
          + " would be lost", hint: "`mailboot vault rekey` goes on with it; \(insist)")
    }
    return .usage(
      "the data on \(plan.target) has another key than \(plan.file)"
        + (plan.backup.isBeingRekeyed ? ", which was saved while it got a new one" : "")
        + ": with it nothing there could be decrypted",
      hint: "take a backup of after the last `mailboot vault rekey`; \(insist)")
  }

  /// A device without a LUKS header that somebody uses is none whose header is gone, unless our vault is open on it.
  private func checkUnused(_ target: String) throws(Failure) {
    guard let status = fileStatus(target), mb_s_isblk(status.st_mode) != 0 else { return }
    if let mapping = DeviceMapper.mapping(named: configuration.vault.mapping),
      mapping.backing.contains(where: { resolvedPath($0) == resolvedPath(target) })
    {
      return
    }
    let descriptor = mb_open(target, O_RDONLY | O_EXCL | O_CLOEXEC, 0)
    if descriptor >= 0 {
      close(descriptor)
    } else if errno == EBUSY {
      throw .vault(
        VaultFailure(.busy, "it has no LUKS header, and something uses it: it does not look like the vault"),
        device: target)
    }
  }

  /// Does it. What was there before is kept beside the backups.
  /// - Returns: the copy of what was there.
  public func restore(_ plan: RestorePlan) throws(Failure) -> String {
    try alone("vault restore-header") { () throws(Failure) in
      let uuid = plan.backup.table.uuid
      // What a cut has left is no more what was there before it.
      var mark = HeaderStore.RestoreMark(
        uuid: uuid, file: plan.file, target: plan.target, device: plan.device,
        copy: try backupPath(nil, vault: uuid, suffix: "replaced"), at: Reactor.wall())
      if let before = plan.interrupted, fileStatus(before.copy) != nil { mark = before }
      let needsCopy = fileStatus(mark.copy) == nil
      // The copy first: a mark whose copy is missing means that nothing was changed yet.
      try headers.store(mark)
      let request = RestoreHeaderRequest(
        file: plan.file, path: plan.target, copy: needsCopy ? mark.copy : nil, sha256: plan.backup.sha256)
      let reply = try worker.ask(.restoreHeader, request, as: HeaderReply.self, reactor: reactor, timeout: 600)
      guard case .header(let report) = reply else {
        if case .failed(let failure) = reply { throw .vault(failure, device: plan.target) }
        throw .system("not restored")
      }
      let record = HeaderBackupRecord(
        uuid: uuid, path: plan.file, at: fileStatus(plan.file).map { Double($0.st_mtim.tv_sec) } ?? Reactor.wall(),
        fingerprint: report.table.fingerprint, sha256: plan.backup.sha256)
      try headers.store(record)
      headers.removeMark(uuid)
      remember(headers.state(uuid, fingerprint: report.table.fingerprint))
      return mark.copy
    }
  }
}

/// When a regular file was last written, seconds since 1970; nil for anything else.
public func writtenAt(_ path: String) -> Double? {
  guard let status = fileStatus(path), mb_s_isreg(status.st_mode) != 0 else { return nil }
  return Double(status.st_mtim.tv_sec)
}
