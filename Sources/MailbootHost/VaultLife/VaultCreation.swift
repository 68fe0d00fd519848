import CLinux
import Glibc
import Linux
import MailbootCore
import SecretMemory

/// What is where a new vault is to be.
public enum VaultGround: Equatable, Sendable {
  case empty
  /// Something that would be lost, a line each.
  case contents([String])
  /// A vault whose making was interrupted: nothing is in it.
  case unfinished
  /// A vault that was made whole, but is in no configuration yet.
  case whole(uuid: String, filesystem: String)
}

/// `mailboot vault create`. Until the last step nothing of it is in any configuration, so one that is interrupted begins anew.
public final class VaultCreation {
  let work: VaultWork
  let vault: NewVault
  /// The configuration that it is written beside.
  let configurationPath: String
  /// Called for each step that has ended: what was done, and how long that took.
  let report: (String, Double) -> Void
  /// While something takes long: what is done of how much.
  public var progress: (UInt64, UInt64) -> Void = { _, _ in }
  /// The vault before the last move, which is kept; nil: none is.
  public var kept: Configuration.Vault?

  /// A mapping and a mount that are there only while the vault is being made.
  static let mapping = "mailboot-create"
  static let mount = "/run/mailboot/create"

  public init(
    _ work: VaultWork, _ vault: NewVault, configuration path: String, report: @escaping (String, Double) -> Void
  ) {
    self.work = work
    self.vault = vault
    configurationPath = path
    self.report = report
  }

  /// The file that names the vault once it is made.
  public var configurationFile: String {
    switch vault.purpose {
    case .first: MovePaths(main: configurationPath).current
    case .another(let name): "\(configurationPath).d/50-vault-\(name).toml"
    case .next: MovePaths(main: configurationPath).next
    }
  }

  /// Where the file or directory lies until it is whole.
  var unfinishedPath: String { vault.subject + ".unfinished" }

  /// Makes it on what `look` has found; what is there is lost.
  public func make(_ passphrase: borrowing SecretBytes) throws(Failure) {
    if vault.type == .gocryptfs, let why = GocryptfsVault.unusable(passphrase) { throw .passphraseUnusable(why) }
    try clearRemains()
    do {
      switch vault.place {
      case .device(let device):
        try step("erased what was on \(device)") { () throws(Failure) in
          try run(["/usr/sbin/wipefs", "--all", "--quiet", "--lock=yes", device])
        }
        try makeLUKS(device, passphrase)
      case .file(let path, let bytes):
        try step("took \(bytes >> 20) MiB for \(path)") { () throws(Failure) in try allocate(bytes) }
        try makeLUKS(unfinishedPath, passphrase)
        try giveName()
      case .directory:
        try makeDirectory(passphrase)
        try giveName()
      }
    } catch {
      // What stays of it is marked as unfinished, and the next call clears it away.
      try? clearRemains()
      throw error
    }
  }

  /// Writes the configuration: from here on it is this host's vault.
  /// - Parameter found: what `look` has found, where the vault was whole already.
  public func enter(_ found: VaultGround) throws(Failure) {
    var named = vault
    if case .whole(_, let filesystem) = found, !filesystem.isEmpty { named.filesystem = filesystem }
    let file = configurationFile
    try makeDirectories(parentDirectory(of: file))
    do {
      try replaceFile(
        file, with: Array(named.configuration(device: try configuredDevice()).utf8), temporary: file + ".new",
        durable: true)
    } catch let error as SystemError {
      throw Failure(error)
    } catch let error as Failure {
      throw error
    } catch {
      throw .system("\(error)")
    }
    try settleNames(in: parentDirectory(of: file))
    report("wrote \(file)", 0)
    // Another configuration is none of what this host runs.
    guard configurationPath == mailbootSettingsPath else { return }
    try askForContents()
    // It reads its configuration when it starts.
    let restart = try startChild(["/usr/bin/systemctl", "try-restart", "mailboot.service"])
    _ = try restart.run(work.reactor, until: Reactor.monotonic() + 30)
  }

  /// A mail host that `mailhost` has made has it fill the new vault at the first unlock.
  private func askForContents() throws(Failure) {
    guard vault.purpose == .first, fileStatus(mailHostSettingsPath) != nil else { return }
    try makeDirectories("/var/lib/mailhost")
    let descriptor = mb_open("/var/lib/mailhost/waiting", O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o644)
    guard descriptor >= 0 else { throw .system("/var/lib/mailhost/waiting: \(errnoText())") }
    close(descriptor)
  }

  /// As the configuration is to name it: a partition's path may be another after a reboot.
  private func configuredDevice() throws(Failure) -> String {
    guard case .device(let device) = vault.place else { return vault.subject }
    // Names that outlive the header: whoever has to put a backup of it back must still find the place.
    if let lasting = try DeviceExamination(reactor: work.reactor).lastingName(of: device) { return lasting }
    let reply = try work.worker.ask(
      .inspect, InspectRequest(device: device, header: nil), as: InspectReply.self, reactor: work.reactor, timeout: 60)
    switch reply {
    case .luks(let summary): return "UUID=\(summary.uuid)"
    case .failed(let failure): throw .vault(failure, device: device)
    }
  }

  private func giveName() throws(Failure) {
    guard rename(unfinishedPath, vault.subject) == 0 else {
      throw .system("\(unfinishedPath) cannot be renamed to \(vault.subject): \(errnoText())")
    }
    try settleNames(in: parentDirectory(of: vault.subject))
  }

  func makeDirectories(_ path: String) throws(Failure) {
    if fileStatus(path) != nil { return }
    try makeDirectories(parentDirectory(of: path))
    guard mkdir(path, 0o755) == 0 || errno == EEXIST else { throw .system("\(path): \(errnoText())") }
  }

  func step(_ what: String, _ body: () throws(Failure) -> Void) throws(Failure) {
    let begun = Reactor.monotonic()
    try body()
    report(what, Reactor.monotonic() - begun)
  }

  func run(_ call: [String], package: String? = nil) throws(Failure) {
    try finish(try launch(call, package: package, input: nil))
  }

  func run(_ call: [String], _ passphrase: borrowing SecretBytes) throws(Failure) {
    let pipe = try SecretPipe()
    let child = try launch(call, package: nil, input: pipe.readEnd)
    pipe.hand(passphrase)
    try finish(child)
  }

  private func launch(_ call: [String], package: String?, input: Int32?) throws(Failure) -> ChildProcess {
    if access(call[0], X_OK) != 0, let package {
      throw .usage("\(call[0]) is missing", hint: "`apt install \(package)`, or take another `--filesystem`")
    }
    return try startChild(call, inputDescriptor: input)
  }

  private func finish(_ child: ChildProcess) throws(Failure) {
    guard try child.run(work.reactor, until: nil) == .exited(0) else {
      throw .vault(VaultFailure(.other, Worker.complaint(child)), device: vault.subject)
    }
  }
}
