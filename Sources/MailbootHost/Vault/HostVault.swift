import CLinux
import Glibc
import Linux
import MailbootCore
import SecretMemory
import Systemd

/// The vault of this machine in a run: its kind opens and mounts it, the directories shown elsewhere are the same for all.
final class HostVault: VaultPort {
  private let configuration: Configuration
  private let kind: any VaultKind
  private let tools: VaultTools
  /// What is to be opened; nil while the vault was open from the start.
  private let device: String?
  /// Whether the next `open` is to use a token: the passphrase is empty then.
  var opensByToken = false

  init(configuration: Configuration, kind: any VaultKind, tools: VaultTools, device: String?) {
    self.configuration = configuration
    self.kind = kind
    self.tools = tools
    self.device = device
  }

  var name: String { kind.name }

  func open(_ passphrase: borrowing SecretBytes) throws(Failure) -> StepOutcome {
    guard let device else { throw .system("the vault was closed while mailboot was at work") }
    guard opensByToken || !passphrase.isEmpty else {
      throw .passphraseRefused(tries: 0, empty: true, endsInCarriageReturn: false)
    }
    return try kind.open(passphrase, device: device, byToken: opensByToken, tools)
  }

  func mount() throws(Failure) -> StepOutcome { try kind.mount(tools) }

  func mountBind(_ index: Int) throws(Failure) -> StepOutcome {
    let bind = configuration.binds[index]
    guard let source = fileStatus(bind.from), mb_s_isdir(source.st_mode) != 0 else {
      throw .mount(.sourceMissing(bind.from), path: bind.to)
    }
    if Observer.isSame(bind.from, bind.to) { return .unchanged }
    if let mounted = MountTable.current()?.mount(on: bind.to) {
      throw .mount(.occupied(by: mounted.source), path: bind.to)
    }
    try Mounts.prepare(bind.to)
    try tools.mounts.start(path: bind.to, what: bind.from, type: "none", options: ["bind"], fsck: false)
    guard Observer.isSame(bind.from, bind.to) else {
      try tools.mounts.stop(path: bind.to)
      throw .mount(.refused(result: "another directory was mounted than \(bind.from)", journal: []), path: bind.to)
    }
    return .changed
  }

  /// `mailhost` leaves a file while something waits for the vault, and another one while it changes the host.
  func fill() throws(Failure) -> StepOutcome? {
    let program = "/usr/sbin/mailhost"
    let marks = ["/var/lib/mailhost/waiting", "/var/lib/mailhost/pending"]
    guard marks.contains(where: { fileStatus($0) != nil }), fileStatus(program) != nil else { return nil }
    let child = try startChild([program, "complete"])
    let end = try child.run(tools.units.reactor, until: Reactor.monotonic() + 300)
    guard end == .exited(0) else {
      // Without what it tells of its progress.
      let said = child.errorOutput.split(separator: "\n").filter { !$0.hasPrefix("  ") || $0.hasPrefix("  | ") }
      throw .system("`mailhost complete` failed: " + said.joined(separator: "; "))
    }
    return .changed
  }

  @discardableResult
  func unmountBind(_ index: Int) throws(Failure) -> StepOutcome {
    let bind = configuration.binds[index]
    guard let table = MountTable.current(), let mounted = table.mount(on: bind.to) else { return .unchanged }
    // Something else that is mounted there is not ours to unmount.
    let kind = configuration.otherVault(of: bind.from).map { VaultKinds.make(configuration.seen(from: $0)) } ?? kind
    let isOurs = kind.fileSystem(table).map { $0 == mounted.device } ?? Observer.isSame(bind.from, bind.to)
    return isOurs ? try tools.mounts.stop(path: bind.to) : .unchanged
  }

  @discardableResult
  func unmount() throws(Failure) -> StepOutcome {
    VerifiedStamp().remove()
    return try kind.unmount(tools)
  }

  @discardableResult
  func close() throws(Failure) -> StepOutcome { try kind.close(tools) }
}
