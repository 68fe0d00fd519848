import CLinux
import Glibc
import Linux
import MailbootCore
import SecretMemory
import Systemd

/// The vault of this machine: the worker opens and closes it, systemd mounts it.
final class HostVault: VaultPort {
  private let configuration: Configuration
  private let worker: Worker
  private let units: UnitControl
  /// Resolved path of the device; nil while the vault was open from the start.
  private let device: String?
  private let mounts: Mounts
  /// Whether the next `open` is to use a token in the header: the passphrase is empty then.
  var opensByToken = false

  /// - Parameter mountTimeout: seconds one mount or unmount may take; nil: as long as systemd lets it.
  init(
    configuration: Configuration, worker: Worker, units: UnitControl, device: String?, mountTimeout: Double? = nil
  ) {
    self.configuration = configuration
    self.worker = worker
    self.units = units
    self.device = device
    mounts = mountTimeout.map { Mounts(units: units, timeout: $0) } ?? Mounts(units: units)
  }

  private var vault: Configuration.Vault { configuration.vault }
  private var mapping: MappingStatus? { DeviceMapper.mapping(named: vault.mapping) }

  func open(_ passphrase: borrowing SecretBytes) throws(Failure) -> StepOutcome {
    if mapping != nil { return .unchanged }
    guard let device else { throw .system("the vault was closed while mailboot was at work") }
    guard opensByToken || !passphrase.isEmpty else {
      throw .passphraseRefused(tries: 0, empty: true, endsInCarriageReturn: false)
    }
    let request = OpenRequest(
      device: device, header: vault.header, mapping: vault.mapping, memoryLimitKiB: availableMemoryKiB(),
      byToken: opensByToken)
    var ends: [Int32] = [-1, -1]
    guard mb_pipe_cloexec(&ends) == 0 else { throw .system("pipe: \(errnoText())") }
    let child: ChildProcess
    do {
      defer { Glibc.close(ends[0]) }
      child = try worker.begin(.open, request, passphrase: ends[0])
    } catch {
      Glibc.close(ends[1])
      throw error
    }
    do {
      defer { Glibc.close(ends[1]) }
      // A worker that has ended without reading says why itself: a broken pipe is not the news.
      try? write(passphrase, to: ends[1])
    }
    do {
      // Key derivation may take as long as it likes: Ctrl-C ends it.
      _ = try child.run(units.reactor, until: nil)
    } catch {
      // In the moment of activation the worker finishes what it does: then the mapping is there, and nobody is to have it.
      if mapping != nil { try close() }
      throw error
    }
    if child.end != .exited(0), mapping != nil {
      // It came to its end behind the activation and cannot say so: what nobody answers for is closed.
      try close()
    }
    if case .killed(SIGKILL)? = child.end {
      let needed = VaultFailure(
        .noMemory, "the kernel killed the key derivation; \((availableMemoryKiB() ?? 0) / 1024) MiB are available")
      throw .vault(needed, device: device)
    }
    switch try worker.reply(OpenReply.self, of: child) {
    case .opened: return .changed
    case .alreadyOpen: return .unchanged
    case .failed(let failure) where failure.kind == .notAccepted:
      throw .passphraseRefused(tries: 1, empty: false, endsInCarriageReturn: passphrase.endsWithCarriageReturn)
    case .failed(let failure): throw .vault(failure, device: device)
    }
  }

  func mount() throws(Failure) -> StepOutcome {
    guard let mapping else { throw .system("the mapping \(vault.mapping) is gone") }
    if let mounted = MountTable.current()?.mount(on: vault.mount) {
      guard mounted.device == mapping.device else { throw .mount(.occupied(by: mounted.source), path: vault.mount) }
      return .unchanged
    }
    try Mounts.prepare(vault.mount)
    if DeviceMapper.isUnrecognized(mapping) {
      let result =
        "no file system is to be seen on /dev/mapper/\(vault.mapping): it is badly damaged, or was never made"
      throw .mount(.refused(result: result, journal: []), path: vault.mount)
    }
    try mounts.start(
      path: vault.mount, what: "/dev/mapper/\(vault.mapping)", type: vault.filesystem, options: vault.options,
      fsck: true)
    // A wrong fstab line mounts something else; that is not the vault.
    let now = MountTable.current()?.mount(on: vault.mount)
    guard now?.device == mapping.device else {
      try mounts.stop(path: vault.mount)
      throw .mount(.occupied(by: now?.source ?? "nothing"), path: vault.mount)
    }
    return .changed
  }

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
    try mounts.start(path: bind.to, what: bind.from, type: "none", options: ["bind"], fsck: false)
    guard Observer.isSame(bind.from, bind.to) else {
      try mounts.stop(path: bind.to)
      throw .mount(.refused(result: "another directory was mounted than \(bind.from)", journal: []), path: bind.to)
    }
    return .changed
  }

  @discardableResult
  func unmountBind(_ index: Int) throws(Failure) -> StepOutcome {
    let bind = configuration.binds[index]
    // Something else that is mounted there is not ours to unmount.
    guard let mapping, isMounted(mapping, on: bind.to) else { return .unchanged }
    return try mounts.stop(path: bind.to)
  }

  @discardableResult
  func unmount() throws(Failure) -> StepOutcome {
    guard let mapping, isMounted(mapping, on: vault.mount) else { return .unchanged }
    return try mounts.stop(path: vault.mount)
  }

  private func isMounted(_ mapping: MappingStatus, on path: String) -> Bool {
    MountTable.current()?.mount(on: path)?.device == mapping.device
  }

  @discardableResult
  func close() throws(Failure) -> StepOutcome {
    let reply = try worker.ask(
      .close, CloseRequest(mapping: vault.mapping), as: CloseReply.self, reactor: units.reactor, timeout: 60)
    switch reply {
    case .closed: return .changed
    case .alreadyClosed: return .unchanged
    case .failed(let failure): throw .vault(failure, device: "/dev/mapper/\(vault.mapping)")
    }
  }
}

/// What the key derivation may take without the kernel killing somebody: free memory, and our control group's rest.
/// Nil when nothing limits it that we can see.
func availableMemoryKiB() -> Int? {
  var limits: [Int] = []
  if let text = readSmallText("/proc/meminfo") {
    for line in text.split(separator: "\n") where line.hasPrefix("MemAvailable:") || line.hasPrefix("SwapFree:") {
      let amount = line.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
      if limits.isEmpty { limits = [amount] } else { limits[0] += amount }
    }
  }
  if let group = readSmallText("/proc/self/cgroup")?.split(separator: "\n").first(where: { $0.hasPrefix("0::") }) {
    var path = "/sys/fs/cgroup" + group.dropFirst(3)
    while path.count > "/sys/fs/cgroup".count {
      if let limit = readAttribute(path + "/memory.max").flatMap({ Int($0) }),
        let current = readAttribute(path + "/memory.current").flatMap({ Int($0) })
      {
        limits.append(max(0, limit - current) / 1024)
      }
      path = path.split(separator: "/").dropLast().reduce(into: "") { $0 += "/" + $1 }
    }
  }
  return limits.min()
}
