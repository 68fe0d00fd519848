import Glibc
import Linux
import MailbootCore
import SecretMemory

/// What the verbs of `mailboot vault` work with.
public final class VaultWork {
  public let configuration: Configuration
  public let reactor: Reactor
  let worker: Worker
  let directory: RuntimeDirectory
  let user: String
  /// Says what is being done, or what is wrong but holds nothing up.
  public let note: (String) -> Void

  public init(
    configuration: Configuration, reactor: Reactor, directory: RuntimeDirectory = RuntimeDirectory(),
    user: String = invokingUser(), note: @escaping (String) -> Void
  ) throws(Failure) {
    self.configuration = configuration
    self.reactor = reactor
    self.directory = directory
    self.user = user
    self.note = note
    worker = try Worker()
  }

  /// Where the LUKS header is, found as an unlock finds it.
  /// - Throws: `.usage` when the vault is of another kind.
  func luks() throws(Failure) -> (device: String, header: String?) {
    let vault = configuration.vault
    guard vault.kind == .luks else {
      throw .usage("a vault of type \"\(vault.kind.rawValue)\" has no keyslots", hint: nil)
    }
    let device = try DeviceResolver(vault: vault, timeout: configuration.unlock.deviceTimeout).resolve(reactor)
    return (device, LUKSVault(vault).header)
  }

  /// Keeps every other run out during `body`, and says to others who is busy.
  public func alone<Result>(
    _ verb: String, _ body: () throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try directory.withLock { () throws(Failure) in
      let boot = bootID()
      var record = directory.record().flatMap { $0.bootID == boot ? $0 : nil } ?? LastResults(bootID: boot)
      record.busy = BusyRecord(pid: getpid(), verb: verb, by: user, phase: .verifying, since: Reactor.wall())
      try directory.store(record)
      defer {
        // What the run itself has stored meanwhile stays.
        if var now = directory.record() {
          now.busy = nil
          try? directory.store(now)
        }
      }
      return try body()
    }
  }

  /// Which keyslot the passphrase opens; changes nothing.
  public func testKey(_ passphrase: borrowing SecretBytes) throws(Failure) -> (keyslot: Int, seconds: Double) {
    let (device, header) = try luks()
    let request = TestKeyRequest(device: device, header: header, memoryLimitKiB: availableMemoryKiB())
    let child = try worker.begin(.testKey, request, secret: passphrase)
    _ = try child.run(reactor, until: nil)
    switch try worker.reply(TestKeyReply.self, of: child) {
    case .opens(let keyslot, let seconds): return (keyslot, seconds)
    case .failed(let failure) where failure.kind == .notAccepted:
      throw .passphraseRefused(
        tries: 1, empty: passphrase.isEmpty, endsInCarriageReturn: passphrase.endsWithCarriageReturn)
    case .failed(let failure): throw .vault(failure, device: device)
    }
  }
}
