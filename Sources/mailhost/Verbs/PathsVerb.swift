import ArgumentParser
import CLinux
import Console
import Glibc
import JSON
import Linux
import MailHost
import MailbootConfiguration
import MailbootCore

struct PathsVerb: Verb {
  static let configuration = CommandConfiguration(
    commandName: "paths", abstract: "What a backup of this host must have, what not, and how to take it.",
    discussion: "Needs no root, but to see whether files are there that only root may see.")

  @OptionGroup var host: HostOptions

  @Option(help: "text or json.")
  var format = OutputFormat.text

  func perform(_ terminal: Terminal) throws(HostFailure) -> Status {
    let settings = try host.settings()
    let root = HostRoot(prefix: host.prefix)
    let vaults = try vaults(settings, root)
    let facts = SavedPathFacts(
      settingsFile: host.config, mailbootFile: ConfigurationFiles.standardPath, state: GenerationStore.directory,
      vault: vaults[0], otherVaults: Array(vaults.dropFirst()))
    let open = vaults.filter { $0.source == .none || Vault.isMounted($0.mount, root) }
    var report = SavedPathReport(
      save: settings.savedPaths(facts), leaveOut: settings.unsavedPaths(facts), vaults: vaults,
      open: Set(open.map(\.name)))
    for path in report.save where path.vault.map({ report.open.contains($0) }) ?? true {
      var status = stat()
      if lstat(root.path(path.path), &status) == 0 {
        report.present.insert(path.path)
      } else if errno == ENOENT {
        report.absent.insert(path.path)
      }
    }
    switch format {
    case .json: say(report.json().rendered())
    case .text:
      let screen = Terminal(descriptor: 1)
      let page = screen.isLive ? screen : Terminal(columns: 79)
      for line in report.lines() { say(page.indented(line.text, indent: line.indent)) }
    }
    return 0
  }

  /// The mail host's, which is at the place that the settings say, and the further ones of `mailboot.toml`.
  private func vaults(_ settings: HostSettings, _ root: HostRoot) throws(HostFailure) -> [SavedPathFacts.Vault] {
    var vaults: [Configuration.Vault]
    do throws(Failure) {
      // A named file must be there, the standard one need not.
      let path = root.path(ConfigurationFiles.standardPath)
      vaults = try ConfigurationFiles(path: root.isHere || fileStatus(path) == nil ? nil : path).configuration.vaults
    } catch {
      throw HostFailure(.configuration, error.summary, hint: "`mailboot config check` tells more")
    }
    let first = vaults.remove(at: vaults.firstIndex { $0.mount == settings.vault } ?? 0)
    let type = settings.vaultType.flatMap(VaultType.init(rawValue:)) ?? first.type
    return [SavedPathFacts.Vault(name: first.name, mount: settings.vault, source: source(of: first, type, root))]
      + vaults.map { SavedPathFacts.Vault(name: $0.name, mount: $0.mount, source: source(of: $0, $0.type, root)) }
  }

  /// What is said of a vault, else what is at gocryptfs' place.
  private func source(
    of vault: Configuration.Vault, _ type: VaultType?, _ root: HostRoot
  ) -> SavedPathFacts.VaultSource {
    let directory = vault.device ?? Configuration.Vault.standardDirectory
    let file = Configuration.Vault.gocryptfsFile
    let isGocryptfs = type == nil && fileStatus(root.path("\(directory)/\(file)")) != nil
    switch type ?? (isGocryptfs ? .gocryptfs : .luks) {
    case .luks: return .luks(device: vault.device, header: vault.header)
    case .veracrypt: return .container(type: VaultType.veracrypt.rawValue, device: vault.device)
    case .bitlocker: return .container(type: VaultType.bitlocker.rawValue, device: vault.device)
    case .gocryptfs: return .gocryptfs(directory: directory, configuration: file)
    case .plain: return .none
    }
  }
}

extension Terminal {
  /// Wrapped at words, but with the spaces that it begins with.
  fileprivate func indented(_ text: String, indent: Int) -> String {
    let spaces = String(text.prefix { $0 == " " })
    let stand = String(repeating: "_", count: spaces.count)
    return spaces + wrapped(stand + text.dropFirst(spaces.count), indent: indent).dropFirst(spaces.count)
  }
}
