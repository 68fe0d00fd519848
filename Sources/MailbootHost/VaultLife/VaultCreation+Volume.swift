import CLinux
import Glibc
import Linux
import MailbootCore
import SecretMemory

/// The volume or encrypted directory itself, under a name and a mark that nobody takes for a vault's.
extension VaultCreation {
  func makeLUKS(_ device: String, _ passphrase: borrowing SecretBytes) throws(Failure) {
    let request = FormatRequest(
      device: device, label: vault.label, cost: vault.cost, integrityMapping: vault.hasIntegrity ? Self.mapping : nil)
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
    report("made a LUKS2 volume, Argon2id with \(vault.cost.memoryKiB >> 10) MiB", Reactor.monotonic() - begun)
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

  func closeMapping() throws(Failure) {
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

  func makeDirectory(_ passphrase: borrowing SecretBytes) throws(Failure) {
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
    // One that was killed may have come so far only now.
    try unmount()
    try makeDirectories(Self.mount)
    chmod(Self.mount, 0o700)
    try run(mount)
    try fillAndUnmount()
  }

  private func mountAndFill(_ mount: [String], _ passphrase: borrowing SecretBytes) throws(Failure) {
    try unmount()
    try makeDirectories(Self.mount)
    chmod(Self.mount, 0o700)
    try run(mount, passphrase)
    try fillAndUnmount()
  }

  private func fillAndUnmount() throws(Failure) {
    try VaultLayout(root: Self.mount).make()
    try settle(Self.mount)
    try unmount()
  }

  func unmount() throws(Failure) {
    guard MountTable.current()?.mount(on: Self.mount) != nil else { return }
    try run(["/usr/bin/umount", Self.mount])
    // gocryptfs ends behind its unmount.
    _ = try? GocryptfsProcess.end(directory: unfinishedPath, mount: Self.mount, grace: 5, work.reactor)
    rmdir(Self.mount)
  }

  /// What an interrupted call has left: a mount, a mapping, a file or directory that is not whole.
  func clearRemains() throws(Failure) {
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

  func allocate(_ bytes: UInt64) throws(Failure) {
    let descriptor = mb_open(unfinishedPath, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else { throw .system("\(unfinishedPath): \(errnoText())") }
    defer { close(descriptor) }
    // Sparse, it would be a vault whose disk runs full while its file system has room: mail would be lost.
    let code = posix_fallocate(descriptor, 0, off_t(bytes))
    guard code == 0, fsync(descriptor) == 0 else {
      let why = errnoText(code == 0 ? errno : code)
      throw .vault(VaultFailure(.tooSmall, why), device: parentDirectory(of: unfinishedPath))
    }
  }
}
