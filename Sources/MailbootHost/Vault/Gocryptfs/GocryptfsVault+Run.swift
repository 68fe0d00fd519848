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
    if let reason = Self.unusable(passphrase) { throw .passphraseUnusable(reason) }
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
        directory: directory, mount: vault.mount, options: vault.options, passphrase: ends[0]))
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
    guard case .open(let opened) = try opening(MountTable.current() ?? MountTable(parsing: "")), opened.flaws.isEmpty
    else {
      throw .mount(
        .refused(result: "gocryptfs has mounted it and does not answer", journal: journal(since: begun)),
        path: vault.mount)
    }
  }

  private func journal(since begun: Double) -> [String] { UnitControl.journal(unit, sinceWall: begun - 1) }

  /// See EXIT CODES in gocryptfs(1), and its `internal/exitcodes`: 11 is also what a configuration that cannot be read or understood gives.
  private func failure(of ended: UnitDetails, endsInCR: Bool, since begun: Double) -> Failure {
    let journal = journal(since: begun)
    func vault(_ kind: VaultFailure.Kind) -> Failure {
      .vault(
        VaultFailure(kind, journal.last ?? "gocryptfs ended with status \(ended.execMainStatus)"), device: directory)
    }
    if ended.execMainCode != CLD_EXITED {
      return ended.execMainStatus == SIGKILL
        ? .vault(VaultFailure(.noMemory, "the kernel killed gocryptfs"), device: directory) : vault(.other)
    }
    switch ended.execMainStatus {
    case 12: return .passphraseRefused(tries: 1, empty: false, endsInCarriageReturn: endsInCR)
    case 6: return vault(.noDevice)
    case 8, 11, 13, 23, 27: return vault(.damagedHeader)
    case 10: return .mount(.refused(result: "gocryptfs cannot mount there", journal: journal), path: self.vault.mount)
    case 19: return .mount(.noFUSE(journal.last ?? "gocryptfs could not mount"), path: self.vault.mount)
    default: return vault(.other)
    }
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
    return try tools.mounts.stop(path: vault.mount)
  }

  /// Makes sure that gocryptfs is gone, and the key with it.
  func close(_ tools: VaultTools) throws(Failure) -> StepOutcome {
    let unmounted = try unmount(tools)
    if unmounted == .changed {
      _ = try GocryptfsProcess.end(directory: directory, mount: vault.mount, grace: 5, tools.units.reactor)
    }
    let state = try tools.units.states(of: [unit])[unit]
    let runs = state.map { !$0.isNotFound && !["inactive", "failed"].contains($0.activeState) } ?? false
    // Without a mount it still derives the key: told to end, it ends.
    if runs { _ = try tools.units.wait(for: try tools.units.stop(unit), until: Reactor.monotonic() + 20) }
    try tools.units.resetFailed(unit)
    return unmounted == .changed || runs ? .changed : .unchanged
  }
}
