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
  private static let mount = "/run/mailboot/create"

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
    case .first: "\(configurationPath).d/50-vault.toml"
    case .another(let name): "\(configurationPath).d/50-vault-\(name).toml"
    case .next: parent(of: configurationPath) + "/next-vault.toml"
    }
  }

  /// Where the file or directory lies until it is whole.
  var unfinishedPath: String { vault.subject + ".unfinished" }

  // MARK: Looking

  /// What is there. Changes nothing but what a call that was killed has left open.
  /// - Throws: what keeps a vault from being made there, whoever insists.
  public func look() throws(Failure) -> VaultGround {
    // One that was killed has left it there: its device would be in use.
    try unmount()
    if vault.type == .luks, DeviceMapper.mapping(named: Self.mapping) != nil { try closeMapping() }
    try refuseSecond()
    try refuseOthers()
    switch vault.place {
    case .device(let device):
      let least = NewVault.leastBytes(filesystem: vault.filesystem)
      let contents = try DeviceExamination(reactor: work.reactor).contents(of: device, least: least).contents
      if contents.isEmpty { return .empty }
      return try ours(device) ?? .contents(contents)
    case .file(let path, let bytes): return try lookAtFile(path, bytes)
    case .directory(let path): return try lookAtDirectory(path)
    }
  }

  /// A configuration that names a vault already is not to lose it.
  private func refuseSecond() throws(Failure) {
    if fileStatus(configurationFile) != nil {
      throw .usage(
        "\(configurationFile) names a vault already",
        hint: vault.purpose == .next
          ? "`mailboot vault move` moves there; remove the file if you want another one"
          : "look at it with `mailboot vault info`; to move to a new one, `mailboot vault create --next …`")
    }
    guard vault.purpose == .first else { return }
    let configured = work.configuration.vault
    if let mounted = MountTable.current()?.mount(on: configured.mount) {
      throw .usage(
        "a vault is open on \(configured.mount) (\(mounted.source))",
        hint: "to move to a new one: `mailboot vault create --next …`, then `mailboot vault move`")
    }
    guard let device = configured.device, resolvedPath(device) != resolvedPath(vault.subject) else { return }
    let isVault =
      configured.kind == .gocryptfs
      ? fileStatus("\(device)/\(GocryptfsConfiguration.fileName)") != nil
      : (try? DeviceResolver(vault: configured, timeout: 0).resolve(work.reactor)) != nil
    if isVault {
      throw .usage(
        "\(device) is configured as the vault already",
        hint: "to move to a new one: `mailboot vault create --next …`, then `mailboot vault move`")
    }
  }

  /// What is another vault of this host is not to be erased, nor to have two names, whoever insists.
  private func refuseOthers() throws(Failure) {
    let first = work.configuration.vault
    if case .another(let name) = vault.purpose, work.configuration.vaults.contains(where: { $0.name == name }) {
      // What is written of it would be laid over the other one.
      throw .usage("there is a vault \(name) already", hint: "give it another `--name`")
    }
    for other in work.configuration.vaults where vault.purpose != .first || other.name != first.name {
      guard isAt(other) else { continue }
      throw .usage(
        "\(vault.subject) is configured as the vault \(other.name)",
        hint: "take another place, or take that vault out of the configuration first")
    }
    if let kept, isAt(kept) {
      throw .usage(
        "\(vault.subject) is the vault before the last move, which is kept",
        hint: "when you don't need it any more: `mailboot vault move --forget`")
    }
    // With a second LUKS device nobody could tell any more which one is meant.
    if case .device = vault.place, vault.purpose != .first, first.kind == .luks, !isNamed(first) {
      let found = (try? DeviceResolver(vault: first, timeout: 0).resolve(work.reactor)).map { " (now \($0))" } ?? ""
      throw .usage(
        "the vault \(first.name) has no `device` in the configuration: it is found as the only LUKS device\(found), and"
          + " would not be any more",
        hint: "name it first, as `device = \"UUID=…\"` in [vault] (see `lsblk -o NAME,UUID,FSTYPE`)")
    }
  }

  /// Whether configuration or crypttab name its device, be it there or not.
  private func isNamed(_ vault: Configuration.Vault) -> Bool {
    do throws(Failure) {
      return try DeviceResolver(vault: vault, timeout: 0).resolveNamed(work.reactor) != nil
    } catch {
      return true
    }
  }

  /// Whether the new vault is to be where another one is.
  private func isAt(_ other: Configuration.Vault) -> Bool {
    var place = other.shownDevice.flatMap { resolvedPath(DeviceResolver.path(for: $0)) }
    if other.kind == .luks {
      let found = try? DeviceResolver(vault: other, timeout: 0).resolve(work.reactor)
      place = found.flatMap { resolvedPath($0) } ?? place
    }
    guard let place else { return false }
    return place == resolvedPath(vault.subject)
  }

  private func ours(_ device: String) throws(Failure) -> VaultGround? {
    let reply = try work.worker.ask(
      .inspect, InspectRequest(device: device, header: nil), as: InspectReply.self, reactor: work.reactor, timeout: 60)
    guard case .luks(let summary) = reply else { return nil }
    if summary.subsystem == VaultMark.unfinished { return .unfinished }
    return VaultMark.filesystem(of: summary.subsystem).map { .whole(uuid: summary.uuid, filesystem: $0) }
  }

  private func lookAtFile(_ path: String, _ bytes: UInt64) throws(Failure) -> VaultGround {
    guard path.hasPrefix("/") else { throw .usage("--file takes an absolute path", hint: nil) }
    let directory = parent(of: path)
    if let reason = untrustedReason(directory) {
      throw .usage("\(reason): the vault's file would not be safe there", hint: "take a directory of root's")
    }
    if let status = fileStatus(path) {
      guard mb_s_isreg(status.st_mode) != 0, let ground = try ours(path) else {
        throw .vault(VaultFailure(.notEmpty, "there is such a file already"), device: path)
      }
      return ground
    }
    let least = NewVault.leastBytes(filesystem: vault.filesystem)
    if bytes < least {
      throw .vault(
        VaultFailure(.tooSmall, "\(bytes >> 20) MiB are wanted, and a vault takes \(least >> 20)"), device: path)
    }
    let leftover = fileStatus(unfinishedPath)
    var space = statvfs()
    guard statvfs(directory, &space) == 0 else { throw .system("\(directory): \(errnoText())") }
    let free = UInt64(space.f_bavail) * UInt64(space.f_frsize) + (leftover.map { UInt64($0.st_blocks) * 512 } ?? 0)
    // A full system disk stops more than mail.
    guard free > bytes + (64 << 20) else {
      throw .vault(
        VaultFailure(.tooSmall, "\(bytes >> 20) MiB are wanted, and \(free >> 20) are free"), device: directory)
    }
    return leftover == nil ? .empty : .unfinished
  }

  private func lookAtDirectory(_ path: String) throws(Failure) -> VaultGround {
    guard path.hasPrefix("/") else { throw .usage("--directory takes an absolute path", hint: nil) }
    guard access(GocryptfsUnit.program, X_OK) == 0 else {
      throw .vault(VaultFailure(.noProgram, "\(GocryptfsUnit.program): \(errnoText())"), device: path)
    }
    guard access("/dev/fuse", F_OK) == 0 else { throw .mount(.noFUSE("/dev/fuse: \(errnoText())"), path: vault.mount) }
    if let reason = untrustedReason(parent(of: path)) {
      throw .usage("\(reason): the vault's directory would not be safe there", hint: "take a directory of root's")
    }
    if let status = fileStatus(path) {
      guard mb_s_isdir(status.st_mode) != 0, let names = listDirectory(path) else {
        throw .vault(VaultFailure(.notEmpty, "there is such a file already"), device: path)
      }
      // It has its name only once it is whole.
      if names.contains(GocryptfsConfiguration.fileName) { return .whole(uuid: "", filesystem: "") }
      guard names.isEmpty else {
        throw .vault(VaultFailure(.notEmpty, names.prefix(3).joined(separator: ", ")), device: path)
      }
    }
    return fileStatus(unfinishedPath) == nil ? .empty : .unfinished
  }

  // MARK: Making

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
    try makeDirectories(parent(of: file))
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
    syncDirectory(parent(of: file))
    report("wrote \(file)", 0)
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

  private func makeLUKS(_ device: String, _ passphrase: borrowing SecretBytes) throws(Failure) {
    let request = FormatRequest(
      device: device, label: vault.label, derivationMemoryKiB: vault.derivationMemoryKiB,
      integrityMapping: vault.hasIntegrity ? Self.mapping : nil)
    var begun = Reactor.monotonic()
    let child = try work.worker.begin(.format, request, secret: passphrase)
    try child.run(work.reactor) { line in
      let numbers = line.split(separator: " ").compactMap { UInt64($0) }
      if numbers.count == 2 { progress(numbers[0], numbers[1]) }
    }
    switch try work.worker.reply(FormatReply.self, of: child) {
    case .formatted: break
    case .failed(let failure): throw .vault(failure, device: device)
    }
    report("made a LUKS2 volume, Argon2id with \(vault.derivationMemoryKiB >> 10) MiB", Reactor.monotonic() - begun)
    begun = Reactor.monotonic()
    try open(device, passphrase)
    report("opened it with the passphrase", Reactor.monotonic() - begun)
    try step("made \(vault.filesystem), and the directories of a mail host") { () throws(Failure) in
      try makeFilesystem()
      try mountAndFill(["/usr/bin/mount", "-t", vault.filesystem, "-o", "nosuid,nodev", node, Self.mount])
    }
    try closeMapping()
    let marked = try work.worker.ask(
      .mark, MarkRequest(device: device, label: vault.label, filesystem: vault.filesystem), as: MarkReply.self,
      reactor: work.reactor, timeout: 60)
    if case .failed(let failure) = marked { throw .vault(failure, device: device) }
  }

  private var node: String { "/dev/mapper/\(Self.mapping)" }

  private func open(_ device: String, _ passphrase: borrowing SecretBytes) throws(Failure) {
    let request = OpenRequest(
      device: device, header: nil, mapping: Self.mapping, memoryLimitKiB: availableMemoryKiB())
    let child = try work.worker.begin(.open, request, secret: passphrase)
    _ = try child.run(work.reactor, until: nil)
    switch try work.worker.reply(OpenReply.self, of: child) {
    case .opened, .alreadyOpen: break
    case .failed(let failure): throw .vault(failure, device: device)
    }
  }

  private func closeMapping() throws(Failure) {
    let reply = try work.worker.ask(
      .close, CloseRequest(mapping: Self.mapping), as: CloseReply.self, reactor: work.reactor, timeout: 60)
    if case .failed(let failure) = reply { throw .vault(failure, device: node) }
  }

  private func makeFilesystem() throws(Failure) {
    switch vault.filesystem {
    case "ext4": try run(["/usr/sbin/mkfs.ext4", "-q", "-F", "-L", String(vault.label.prefix(16)), node])
    case "xfs":
      try run(["/usr/sbin/mkfs.xfs", "-q", "-f", "-L", String(vault.label.prefix(12)), node], package: "xfsprogs")
    default: try run(["/usr/sbin/mkfs.btrfs", "-q", "-f", "-L", vault.label, node], package: "btrfs-progs")
    }
  }

  private func makeDirectory(_ passphrase: borrowing SecretBytes) throws(Failure) {
    guard mkdir(unfinishedPath, 0o700) == 0 else { throw .system("\(unfinishedPath): \(errnoText())") }
    try step("made an encrypted directory of gocryptfs") { () throws(Failure) in
      try run([GocryptfsUnit.program, "-init", "-q", unfinishedPath], passphrase)
    }
    try step("opened it with the passphrase, and made the directories of a mail host") { () throws(Failure) in
      try mountAndFill([GocryptfsUnit.program, "-q", "-nosyslog", unfinishedPath, Self.mount], passphrase)
    }
  }

  /// Mounts the new vault where nobody else can look, makes the directories, and unmounts it.
  private func mountAndFill(_ mount: [String]) throws(Failure) {
    try unmount()
    try makeDirectories(Self.mount)
    chmod(Self.mount, 0o700)
    try run(mount)
    try fillAndUnmount()
  }

  private func mountAndFill(_ mount: [String], _ passphrase: borrowing SecretBytes) throws(Failure) {
    // One that was killed may have come so far only now.
    try unmount()
    try makeDirectories(Self.mount)
    chmod(Self.mount, 0o700)
    try run(mount, passphrase)
    try fillAndUnmount()
  }

  private func fillAndUnmount() throws(Failure) {
    try VaultLayout(root: Self.mount).make()
    let descriptor = mb_open(Self.mount, O_RDONLY | O_CLOEXEC, 0)
    if descriptor >= 0 {
      _ = mb_syncfs(descriptor)
      close(descriptor)
    }
    try unmount()
  }

  private func unmount() throws(Failure) {
    guard MountTable.current()?.mount(on: Self.mount) != nil else { return }
    try run(["/usr/bin/umount", Self.mount])
    // gocryptfs ends behind its unmount.
    _ = try? GocryptfsProcess.end(directory: unfinishedPath, mount: Self.mount, grace: 5, work.reactor)
    rmdir(Self.mount)
  }

  /// What an interrupted call has left: a mount, a mapping, a file or directory that is not whole.
  private func clearRemains() throws(Failure) {
    try unmount()
    if vault.type == .luks, DeviceMapper.mapping(named: Self.mapping) != nil { try closeMapping() }
    switch vault.place {
    case .device: break
    case .file: unlink(unfinishedPath)
    case .directory:
      // Only what gocryptfs itself has put there: anything else is somebody's.
      for name in listDirectory(unfinishedPath) ?? [] where name.hasPrefix("gocryptfs.") || isMadeHere(name) {
        try run(["/usr/bin/rm", "-rf", "--one-file-system", "--", "\(unfinishedPath)/\(name)"])
      }
      if fileStatus(unfinishedPath) != nil, rmdir(unfinishedPath) != 0 {
        throw .vault(VaultFailure(.notEmpty, "\(errnoText())"), device: unfinishedPath)
      }
    }
  }

  /// Encrypted names are of these letters alone.
  private func isMadeHere(_ name: String) -> Bool {
    name.count >= 22
      && name.utf8.allSatisfy { byte in
        byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7A || byte >= 0x30 && byte <= 0x39 || byte == 0x2D || byte == 0x5F
      }
  }

  private func allocate(_ bytes: UInt64) throws(Failure) {
    let descriptor = mb_open(unfinishedPath, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else { throw .system("\(unfinishedPath): \(errnoText())") }
    defer { close(descriptor) }
    // Sparse, it would be a vault whose disk runs full while its file system has room: mail would be lost.
    let code = posix_fallocate(descriptor, 0, off_t(bytes))
    guard code == 0, fsync(descriptor) == 0 else {
      throw .vault(VaultFailure(.tooSmall, errnoText(code == 0 ? errno : code)), device: parent(of: unfinishedPath))
    }
  }

  private func giveName() throws(Failure) {
    guard rename(unfinishedPath, vault.subject) == 0 else {
      throw .system("\(unfinishedPath) cannot be renamed to \(vault.subject): \(errnoText())")
    }
    syncDirectory(parent(of: vault.subject))
  }

  private func syncDirectory(_ path: String) {
    let descriptor = mb_open(path, O_RDONLY | O_CLOEXEC, 0)
    guard descriptor >= 0 else { return }
    fsync(descriptor)
    close(descriptor)
  }

  private func makeDirectories(_ path: String) throws(Failure) {
    if fileStatus(path) != nil { return }
    try makeDirectories(parent(of: path))
    guard mkdir(path, 0o755) == 0 || errno == EEXIST else { throw .system("\(path): \(errnoText())") }
  }

  private func step(_ what: String, _ body: () throws(Failure) -> Void) throws(Failure) {
    let begun = Reactor.monotonic()
    try body()
    report(what, Reactor.monotonic() - begun)
  }

  private func run(_ call: [String], package: String? = nil) throws(Failure) {
    try finish(try launch(call, package: package, input: nil))
  }

  private func run(_ call: [String], _ passphrase: borrowing SecretBytes) throws(Failure) {
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

/// The directory that a path lies in.
func parent(of path: String) -> String {
  let end = path.lastIndex(of: "/") ?? path.startIndex
  return end == path.startIndex ? "/" : String(path[..<end])
}
