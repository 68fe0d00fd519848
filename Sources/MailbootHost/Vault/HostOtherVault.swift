import CLinux
import Glibc
import Linux
import MailbootCore
import SecretMemory

/// A further vault of this machine in a run.
final class HostOtherVault: OtherVaultPort {
  private let configuration: Configuration
  private let vault: Configuration.Vault
  private let kind: any VaultKind
  private let tools: VaultTools
  private let caller: Int32
  /// Whether a token in its header is tried, where its kind has any.
  var opensByToken = false

  /// Seconds that its device is waited for at most: mail is not up yet.
  private static let devicePatience = 5

  /// - Parameter index: its place among the further ones.
  init(_ index: Int, of configuration: Configuration, tools: VaultTools, caller: Int32 = getppid()) {
    let vault = configuration.otherVaults[index]
    self.vault = vault
    self.configuration = configuration.seen(from: vault)
    kind = VaultKinds.make(self.configuration)
    var tools = tools
    tools.deviceTimeout = min(tools.deviceTimeout, Self.devicePatience)
    self.tools = tools
    self.caller = caller
    rivals = configuration.vaults.filter { $0.name != vault.name && $0.kind.isMapped }
  }

  static func all(_ configuration: Configuration, _ tools: VaultTools, caller: Int32 = getppid()) -> [HostOtherVault] {
    configuration.otherVaults.indices.map { HostOtherVault($0, of: configuration, tools: tools, caller: caller) }
  }

  var name: String { vault.name }
  var mountPoint: String { vault.mount }
  /// The other vaults on block devices, among which none may have the same one.
  private let rivals: [Configuration.Vault]

  private func opening() throws(Failure) -> Opening {
    guard let mounts = MountTable.current() else {
      throw .system("/proc is not mounted: the mount table cannot be read")
    }
    return try kind.observe(mounts).opening
  }

  // MARK: Opening

  func open(_ passphrase: borrowing SecretBytes) throws(Failure) -> StepOutcome {
    switch try opening() {
    case .open(let open):
      if !open.answers { throw .stuck(open.flaws.first ?? "it does not answer") }
      try kind.checkOpen(tools)
      return .unchanged
    case .broken: try clear()
    case .closed: break
    }
    let device = try kind.checkClosed(tools, byToken: false)
    try refuseSharedDevice(device)
    if let outcome = try openByKeyFile(device) { return outcome }
    if let outcome = try openByToken(device) { return outcome }
    guard !passphrase.isEmpty else { throw .passphraseRefused(tries: 0, empty: true, endsInCarriageReturn: false) }
    if kind.unusable(passphrase) != nil {
      throw .passphraseRefused(tries: 1, empty: false, endsInCarriageReturn: passphrase.endsWithCarriageReturn)
    }
    return try kind.open(passphrase, device: device, byToken: false, tools)
  }

  /// Two names of one device look like two vaults until they are followed.
  private func refuseSharedDevice(_ device: String) throws(Failure) {
    for rival in rivals {
      let backing = DeviceMapper.mapping(named: rival.mapping)?.backing ?? []
      guard backing.contains(where: { resolvedPath($0) == resolvedPath(device) }) else { continue }
      throw .vault(
        VaultFailure(.busy, "the vaults \(rival.name) and \(vault.name) both name it"), device: device)
    }
  }

  /// - Returns: nil: there is no key file, or it does not open the vault, which has been said.
  private func openByKeyFile(_ device: String) throws(Failure) -> StepOutcome? {
    guard let file = vault.keyFile else { return nil }
    do throws(Failure) {
      let key = try KeyFile(path: file).read(tools.units.reactor)
      if let why = kind.unusable(key) { throw .passphraseUnusable(why) }
      return try kind.open(key, device: device, byToken: false, tools)
    } catch .interrupted(let signal) {
      throw .interrupted(signal: signal)
    } catch .passphraseRefused {
      tools.warn("the key file \(file) does not open the vault \(vault.name)")
    } catch {
      tools.warn("the key file of the vault \(vault.name): \(error.summary)")
    }
    return nil
  }

  private func openByToken(_ device: String) throws(Failure) -> StepOutcome? {
    guard opensByToken, vault.kind.hasTokens else { return nil }
    let nothing: SecretBytes
    do { nothing = try SecretBytes(capacity: 1) } catch { throw .system("\(error)") }
    do throws(Failure) {
      return try kind.open(nothing, device: device, byToken: true, tools)
    } catch .vault(let failure, _) where failure.kind == .noToken {
      return nil
    }
  }

  func mount() throws(Failure) -> StepOutcome { try kind.mount(tools) }

  // MARK: Closing

  @discardableResult
  func unmount() throws(Failure) -> StepOutcome {
    if case .broken = try opening() {
      try clear()
      return .changed
    }
    return try kind.unmount(tools)
  }

  @discardableResult
  func close() throws(Failure) -> StepOutcome { try kind.close(tools) }

  /// What is open under its name must be it.
  func checkOpen() throws(Failure) { try kind.checkOpen(tools) }

  /// Takes away what is left of it after it broke down: whatever was not written is lost already.
  private func clear() throws(Failure) {
    let machine = HostEmergency(
      configuration: configuration, kind: kind, worker: tools.worker, reactor: tools.units.reactor, caller: caller)
    _ = try machine.endUsers()
    _ = try machine.unmountAll()
    _ = try machine.close()
  }
}

/// A file of root's whose bytes open a vault.
struct KeyFile {
  let path: String

  private static let limit = 8 << 20
  /// It lies on a disk of this machine.
  private static let patience = 10

  func read(_ reactor: Reactor) throws(Failure) -> SecretBytes {
    if let reason = untrustedReason(path) { throw refusal(reason) }
    let descriptor = mb_open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY, 0)
    guard descriptor >= 0 else { throw refusal(errno == ELOOP ? "it is a symbolic link" : errnoText()) }
    defer { Glibc.close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, mb_s_isreg(status.st_mode) != 0 else {
      throw refusal("it is not a regular file")
    }
    guard status.st_uid == 0 || status.st_uid == geteuid() else { throw refusal("it does not belong to root") }
    guard status.st_mode & 0o077 == 0 else { throw refusal("others may read it; `chmod 600 \(path)`") }
    let key: SecretBytes
    do {
      key = try readSecret(
        from: descriptor, limit: Self.limit, dropTrailingNewline: false, deadline: .now + .seconds(Self.patience),
        signals: reactor.signalDescriptor)
    } catch .interrupted(let signal) {
      throw .interrupted(signal: signal)
    } catch {
      throw refusal("\(error)")
    }
    if key.isEmpty { throw refusal("it is empty") }
    return key
  }

  private func refusal(_ why: String) -> Failure { .system("\(path) is not used: \(why)") }
}
