import CLinux
import Glibc
import Linux
import MailbootCore
import SecretMemory
import Systemd

/// No vault at all: a directory that is always there. Nothing is opened, nothing mounted, nobody asked.
final class PlainDirectory: VaultKind {
  private let path: String

  init(_ vault: Configuration.Vault) { path = vault.mount }

  var name: String { path }
  var watchedUnits: [UnitName] { [] }

  func observe(_ mounts: MountTable) throws(Failure) -> (opening: Opening, mount: MountStatus?) {
    (opening(), mounted(mounts))
  }

  private func opening() -> Opening {
    guard let status = fileStatus(path) else { return .broken("there is no directory \(path): \(errnoText())") }
    guard mb_s_isdir(status.st_mode) != 0 else { return .broken("\(path) is not a directory") }
    return .open(OpenVault(device: nil))
  }

  /// The file system that the directory lies in.
  private func mounted(_ mounts: MountTable) -> MountStatus? {
    guard let status = fileStatus(path), let real = resolvedPath(path) else { return nil }
    let above = mounts.entries.filter {
      real == $0.mountPoint || $0.mountPoint == "/" || real.hasPrefix($0.mountPoint + "/")
    }
    let place = above.max { $0.mountPoint.utf8.count < $1.mountPoint.utf8.count }
    guard var mounted = place.flatMap({ mounts.status(of: $0.mountPoint) }) else { return nil }
    mounted.device = deviceNumber(status.st_dev)
    return mounted
  }

  func fileSystem(_ mounts: MountTable) -> String? { nil }

  func planWords(device: String?) -> VaultPlanWords {
    let always = "\(path) is always there: nothing is encrypted"
    return VaultPlanWords(open: always, alreadyOpen: always, mount: always, alreadyMounted: always)
  }

  func checkClosed(_ tools: VaultTools, byToken: Bool) throws(Failure) -> String {
    throw .mount(fileStatus(path) == nil ? .missing : .notADirectory, path: path)
  }

  func checkOpen(_ tools: VaultTools) throws(Failure) {}

  func open(
    _ passphrase: borrowing SecretBytes, device: String, byToken: Bool, _ tools: VaultTools
  ) throws(Failure) -> StepOutcome { .unchanged }

  func mount(_ tools: VaultTools) throws(Failure) -> StepOutcome { .unchanged }
  func unmount(_ tools: VaultTools) throws(Failure) -> StepOutcome { .unchanged }
  func close(_ tools: VaultTools) throws(Failure) -> StepOutcome { .unchanged }

  func isThereInEmergency() throws(Failure) -> Bool {
    throw .usage(
      "there is no key to take away: nothing in \(path) is encrypted",
      hint: "`mailboot lock` stops the services; to have it encrypted see `type` in mailboot.toml(5)")
  }

  func revokeKey(_ worker: Worker, _ reactor: Reactor) throws(Failure) -> StepOutcome { .unchanged }
  func closeInEmergency(_ worker: Worker, _ reactor: Reactor) throws(Failure) -> StepOutcome { .unchanged }
}
