import CLinux
import Glibc
import Linux
import MailbootCore
import SecretMemory
import Systemd

/// Opening, which mounts, and its reverse.
extension GocryptfsVault {
  private var unit: UnitName { GocryptfsUnit.name(mount: vault.mount) }
  private var isMounted: Bool { MountTable.current().flatMap { ours($0) } != nil }

  func open(
    _ passphrase: borrowing SecretBytes, device: String, byToken: Bool, _ tools: VaultTools
  ) throws(Failure) -> StepOutcome {
    if isMounted { return .unchanged }
    try Mounts.prepare(vault.mount)
    let begun = Reactor.wall()
    // What an earlier one ended with would be taken for this one's.
    try tools.units.resetFailed(unit)
    let job = try start(passphrase, directory: device, tools)
    do {
      try awaitMount(job, directory: device, endsInCR: passphrase.endsWithCarriageReturn, since: begun, tools)
    } catch {
      // Nobody is to have what nobody answers for. A failure that was shown is not to stay behind in `systemctl --failed`.
      do { _ = try close(tools) } catch let second { throw .rollback(of: error, trouble: [second.summary]) }
      throw error
    }
    return .changed
  }

  /// Why gocryptfs could never take it, which reads one line of at most 2048 bytes.
  func unusable(_ passphrase: borrowing SecretBytes) -> String? { Self.unusable(passphrase) }

  static func unusable(_ passphrase: borrowing SecretBytes) -> String? {
    if passphrase.count > 2048 { return "it has \(passphrase.count) bytes, and gocryptfs takes 2048" }
    let hasNewline = passphrase.withUnsafeBytes { $0.contains(UInt8(ascii: "\n")) }
    return hasNewline ? "it contains a newline, which gocryptfs takes for its end" : nil
  }

  private func start(
    _ passphrase: borrowing SecretBytes, directory: String, _ tools: VaultTools
  ) throws(Failure) -> JobID {
    var ends: [Int32] = [-1, -1]
    guard mb_pipe_cloexec(&ends) == 0 else { throw .system("pipe: \(errnoText())") }
    defer { for end in ends where end >= 0 { Glibc.close(end) } }
    do {
      // A pipe takes that much at once.
      try write(passphrase, to: ends[1])
    } catch {
      throw .system("the passphrase cannot be handed over: \(error)")
    }
    Glibc.close(ends[1])
    ends[1] = -1
    return try tools.units.start(
      GocryptfsUnit.service(
        directory: directory, mount: vault.mount, options: vault.options, users: try users(tools),
        passphrase: ends[0]))
  }

  /// The services and the units that do their work.
  private func users(_ tools: VaultTools) throws(Failure) -> [UnitName] {
    let details = try tools.units.details(of: services)
    let working = services.flatMap { name in details[name].map(workingUnits(of:)) ?? [name] }
    return Set(services + working).sorted { $0.rawValue < $1.rawValue }
  }

  /// Key derivation may take as long as it likes: Ctrl-C ends it.
  private func awaitMount(
    _ job: JobID, directory: String, endsInCR: Bool, since begun: Double, _ tools: VaultTools
  ) throws(Failure) {
    let table = try MountTableWatch()
    var started = false
    while true {
      try tools.units.drain()
      if isMounted { break }
      if !started { started = try tools.units.result(of: job) != nil }
      if started, let ended = try tools.units.details(of: [unit])[unit],
        ["inactive", "failed"].contains(ended.state.activeState)
      {
        if isMounted { break }
        throw failure(of: ended, endsInCR: endsInCR, since: begun)
      }
      var descriptors = [table.entry, tools.units.pollDescriptor]
      try tools.units.reactor.wait(&descriptors, until: Reactor.monotonic() + 0.1)
    }
    // Mounted it is before it answers, and it may yet end. What lies below may be slow.
    let deadline = Reactor.monotonic() + Self.answerTimeout
    while let opened = try observe(MountTable.current() ?? MountTable(parsing: "")).opening.vault {
      if opened.flaws.isEmpty { return }
      if Reactor.monotonic() >= deadline { break }
      try tools.units.reactor.sleep(seconds: 0.2)
    }
    throw .mount(
      .refused(result: "gocryptfs has mounted it and does not answer", journal: journal(since: begun)),
      path: vault.mount)
  }

  /// Seconds that a fresh mount has to answer for the first time.
  private static let answerTimeout = 30.0

  private func journal(since begun: Double) -> [String] { UnitControl.journal(unit, sinceWall: begun - 1) }

  private func failure(of ended: UnitDetails, endsInCR: Bool, since begun: Double) -> Failure {
    // What systemd says of it is the same each time.
    let said = journal(since: begun).filter { !$0.hasPrefix("systemd: ") }
    if ended.execMainCode == CLD_EXITED { return failure(status: ended.execMainStatus, said: said, endsInCR: endsInCR) }
    let why = "gocryptfs was ended by signal \(ended.execMainStatus)"
    return .vault(VaultFailure(ended.execMainStatus == SIGKILL ? .noMemory : .other, why), device: directory)
  }

  /// What an exit status of gocryptfs means: EXIT CODES in gocryptfs(1), and its `internal/exitcodes`. 11 is also what a configuration
  /// gives that cannot be read or understood.
  /// - Parameter said: its lines, as the journal has them.
  func failure(status: Int32, said: [String], endsInCR: Bool) -> Failure {
    let lines = said.map { $0.hasPrefix("gocryptfs: ") ? String($0.dropFirst("gocryptfs: ".count)) : $0 }
    let reason = lines.last ?? "gocryptfs ended with status \(status)"
    let kind: VaultFailure.Kind
    switch status {
    case 12: return .passphraseRefused(tries: 1, empty: false, endsInCarriageReturn: endsInCR)
    case 10: return .mount(.refused(result: reason, journal: []), path: vault.mount)
    // FUSE is missing, or does not know an option: fusermount says which, one line earlier.
    case 19: return .mount(.refused(result: reason, journal: Array(lines.dropLast())), path: vault.mount)
    case 6: kind = .noDirectory
    case 8, 11, 13, 23, 27: kind = .damagedConfiguration
    default: kind = .other
    }
    return .vault(VaultFailure(kind, reason), device: directory)
  }

  /// Opening has mounted it.
  func mount(_ tools: VaultTools) throws(Failure) -> StepOutcome {
    guard let table = MountTable.current(), let entry = ours(table) else {
      throw .system("\(vault.mount) is not mounted any more, and mounting it takes the passphrase")
    }
    guard let upper = table.mount(on: vault.mount), upper == entry else {
      throw .mount(.occupied(by: table.mount(on: vault.mount)?.source ?? "nothing"), path: vault.mount)
    }
    return .unchanged
  }

  /// By its mount unit and not by stopping gocryptfs, which would unmount lazily what is in use.
  func unmount(_ tools: VaultTools) throws(Failure) -> StepOutcome {
    guard isMounted else { return .unchanged }
    try awaitMountUnit(tools)
    try tools.mounts.stop(path: vault.mount)
    // Then it ends by itself, and only then the key is gone.
    _ = try GocryptfsProcess.end(directory: directory, mount: vault.mount, grace: 5, tools.units.reactor)
    try wait(for: unit, tools) { !isRunning($0) }
    return .changed
  }

  /// systemd looks at the mount table at most five times a second or so; a mount unit that it takes for dead it does not stop.
  private func awaitMountUnit(_ tools: VaultTools) throws(Failure) {
    try wait(for: .mount(forPath: vault.mount), tools) { $0?.isActive ?? false }
  }

  /// For three seconds at most: what the unit itself does, systemd learns in the end.
  private func wait(for unit: UnitName, _ tools: VaultTools, until isSo: (UnitState?) -> Bool) throws(Failure) {
    let deadline = Reactor.monotonic() + 3
    while !isSo(try tools.units.states(of: [unit])[unit]), Reactor.monotonic() < deadline {
      try tools.units.reactor.sleep(seconds: 0.02)
    }
  }

  private func isRunning(_ state: UnitState?) -> Bool {
    state.map { !$0.isNotFound && !["inactive", "failed"].contains($0.activeState) } ?? false
  }

  /// Makes sure that gocryptfs is gone, and the key with it.
  func close(_ tools: VaultTools) throws(Failure) -> StepOutcome {
    let unmounted = try unmount(tools)
    let runs = isRunning(try tools.units.states(of: [unit])[unit])
    // Without a mount it still derives the key: told to end, it ends.
    if runs { _ = try tools.units.wait(for: try tools.units.stop(unit), until: Reactor.monotonic() + 20) }
    try tools.units.resetFailed(unit)
    return unmounted == .changed || runs ? .changed : .unchanged
  }
}
