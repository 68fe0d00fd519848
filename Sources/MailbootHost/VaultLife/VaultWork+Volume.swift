import CLinux
import Glibc
import Linux
import MailbootCore
import SecretMemory

/// What the verbs of the volume itself have in common.
extension VaultWork {
  /// All that the header says.
  func facts(_ device: String, header: String?) throws(Failure) -> LUKSFacts {
    let reply = try worker.ask(
      .facts, InspectRequest(device: device, header: header), as: FactsReply.self, reactor: reactor, timeout: 60)
    switch reply {
    case .facts(let facts): return facts
    case .failed(let failure): throw .vault(failure, device: device)
    }
  }

  /// The vault's open mapping, made sure to be the vault's; nil: it is closed.
  func openMapping() throws(Failure) -> MappingStatus? {
    let vault = LUKSVault(configuration.vault)
    guard let mapping = vault.mapping else { return nil }
    let tools = VaultTools(worker: worker, units: try UnitControl(reactor: reactor), deviceTimeout: 0, warn: note)
    try vault.checkOpen(tools)
    return mapping
  }

  /// Runs a request of the volume's that wants the passphrase.
  func perform(
    _ verb: WorkerVerb, _ request: VolumeRequest, _ passphrase: borrowing SecretBytes,
    progress: ((RekeyLine) -> Void)? = nil
  ) throws(Failure) -> VolumeReply {
    let child = try worker.begin(verb, request, secret: passphrase)
    if let progress { try follow(child, progress) } else { _ = try child.run(reactor, until: nil) }
    switch try worker.reply(VolumeReply.self, of: child) {
    case .failed(let failure) where failure.kind == .notAccepted:
      throw .passphraseRefused(
        tries: 1, empty: passphrase.isEmpty, endsInCarriageReturn: passphrase.endsWithCarriageReturn)
    case .failed(let failure): throw .vault(failure, device: request.device)
    case let reply: return reply
    }
  }

  /// Waits for its end. A signal is handed on, and it stops when it may: it is never killed.
  private func follow(_ child: ChildProcess, _ progress: (RekeyLine) -> Void) throws(Failure) {
    var shown: RekeyLine?
    while !child.pump() {
      let lines = child.errorOutput.split(separator: "\n", omittingEmptySubsequences: true)
      if let line = lines.last(where: { RekeyLine($0) != nil }).flatMap({ RekeyLine($0) }), line != shown {
        shown = line
        progress(line)
      }
      var descriptors = child.pollDescriptors
      do {
        try reactor.wait(&descriptors, until: Reactor.monotonic() + 0.5)
      } catch .interrupted(let signal) {
        note("stopping at the next safe point")
        kill(child.pid, signal)
      }
    }
  }

  /// Runs a tool to its end.
  /// - Returns: its exit status and its lines, standard output first.
  func tool(_ arguments: [String]) throws(Failure) -> (status: Int32, lines: [String]) {
    guard access(arguments[0], X_OK) == 0 else {
      throw .usage("\(arguments[0]) is not there", hint: ToolPackage.hint(for: arguments[0]))
    }
    let child = try startChild(arguments)
    let end = try child.run(reactor, until: nil)
    let text = String(decoding: child.output, as: UTF8.self) + "\n" + child.errorOutput
    let lines = text.split(whereSeparator: \.isNewline).map(String.init)
    switch end {
    case .exited(let status): return (status, lines)
    case .killed(let signal): return (128 + signal, lines)
    }
  }

  /// One that must succeed.
  @discardableResult
  func mustRun(_ arguments: [String]) throws(Failure) -> [String] {
    let (status, lines) = try tool(arguments)
    guard status == 0 else {
      throw .system(
        "`\(arguments.joined(separator: " "))` failed (\(status)): " + lines.suffix(3).joined(separator: "; "))
    }
    return lines
  }
}

/// Debian's package that has a program.
enum ToolPackage {
  private static let packages = [
    "resize2fs": "e2fsprogs", "e2fsck": "e2fsprogs", "xfs_growfs": "xfsprogs", "xfs_repair": "xfsprogs",
    "btrfs": "btrfs-progs", "sfdisk": "fdisk", "partx": "util-linux", "losetup": "mount", "fstrim": "util-linux",
    "gocryptfs": "gocryptfs", "rsync": "rsync", "fsck": "util-linux",
  ]

  static func hint(for path: String) -> String? {
    path.split(separator: "/").last.flatMap { packages[String($0)] }.map { "`apt install \($0)`" }
  }
}
