import CLinux
import Glibc
import Linux
import MailbootCore
import Systemd

/// A vault in an encrypted directory: gocryptfs shows its cleartext on the mount point, through FUSE. There is no mapping; the mount is
/// what is open.
final class GocryptfsVault: VaultKind {
  let vault: Configuration.Vault
  /// The encrypted directory as configured.
  let directory: String
  private let question: SpaceQuestion
  /// The number of its file system when it was last seen: unmounted lazily it lives on as long as somebody uses it.
  var lastFileSystem: String?

  /// Ordered after it, so that they have ended before it does.
  let services: [UnitName]

  init(_ configuration: Configuration) {
    vault = configuration.vault
    services = configuration.services.map { UnitName($0.name) }
    directory = vault.shownDevice ?? Configuration.Vault.standardDirectory
    question = SpaceQuestion(vault.mount)
  }

  static let fileSystemType = "fuse.gocryptfs"

  var name: String { directory }
  var watchedUnits: [UnitName] { [GocryptfsUnit.name(mount: vault.mount)] }

  // MARK: Looking

  func observe(_ mounts: MountTable) throws(Failure) -> (opening: Opening, mount: MountStatus?) {
    guard let entry = ours(mounts) else { return (.closed, mounts.status(of: vault.mount)) }
    var opened = OpenVault(device: entry.device, backing: directory)
    // Something else on top answers for itself.
    guard mounts.mount(on: vault.mount) == entry else { return (.open(opened), mounts.status(of: vault.mount)) }
    switch question.answer() {
    case .space(let space): return (.open(opened), MountStatus(entry, space, errors: 0))
    case .failed(ENOTCONN), .failed(ECONNABORTED):
      let why = "gocryptfs has ended without unmounting: nobody can read or write in \(vault.mount)"
      return (.broken(why), MountStatus(entry))
    case .failed(let code): opened.flaws.append("\(vault.mount) cannot be looked at: \(errnoText(code))")
    case .silent:
      opened.flaws.append("gocryptfs does not answer: whoever uses \(vault.mount) hangs")
      opened.answers = false
    }
    return (.open(opened), MountStatus(entry))
  }

  /// Our line of the mount table, whether or not something lies on top of it.
  func ours(_ mounts: MountTable) -> MountEntry? {
    mounts.entries.last { $0.mountPoint == vault.mount && isOurs($0) }
  }

  /// Whether the file system comes out of our directory, wherever it is mounted.
  func isOurs(_ entry: MountEntry) -> Bool {
    guard entry.filesystem == Self.fileSystemType, !entry.isUsers else { return false }
    if entry.source == Self.shown(directory) { return true }
    guard let real = resolvedPath(directory) else { return false }
    return entry.source == Self.shown(real) || resolvedPath(entry.source) == real
  }

  /// As gocryptfs writes a directory into the mount table, where a comma would end an option.
  private static func shown(_ path: String) -> String {
    path.split(separator: ",", omittingEmptySubsequences: false).joined(separator: "_")
  }

  func fileSystem(_ mounts: MountTable) -> String? {
    lastFileSystem = ours(mounts)?.device ?? lastFileSystem
    return lastFileSystem
  }

  func planWords(device: String?) -> VaultPlanWords {
    VaultPlanWords(
      open: "ask for the passphrase, have gocryptfs show \(device ?? directory) on \(vault.mount)",
      alreadyOpen: "\(directory) is open", mount: "comes with opening it", alreadyMounted: "\(vault.mount) is mounted")
  }
}
