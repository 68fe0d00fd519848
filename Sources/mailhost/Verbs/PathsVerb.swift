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
    let source = try vaultSource(settings, root)
    let facts = SavedPathFacts(
      settingsFile: host.config, mailbootFile: ConfigurationFiles.standardPath, state: GenerationStore.directory,
      vault: source)
    var report = SavedPathReport(
      save: settings.savedPaths(facts), leaveOut: settings.unsavedPaths(facts), vault: source,
      mount: settings.vault, isOpen: source == .none || Vault(settings: settings, root: root).isOpen)
    for path in report.save where report.isOpen || !path.isInVault {
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

  /// What the settings say of the vault, else `mailboot.toml`, else what is at gocryptfs' usual place.
  private func vaultSource(
    _ settings: HostSettings, _ root: HostRoot
  ) throws(HostFailure) -> SavedPathFacts.VaultSource {
    let vault: Configuration.Vault
    do throws(Failure) {
      // A named file must be there, the standard one need not.
      let path = root.path(ConfigurationFiles.standardPath)
      vault = try ConfigurationFiles(path: root.isHere || fileStatus(path) == nil ? nil : path).configuration.vault
    } catch {
      throw HostFailure(.configuration, error.summary, hint: "`mailboot config check` tells more")
    }
    let directory = vault.device ?? Configuration.Vault.standardDirectory
    let file = Configuration.Vault.gocryptfsFile
    var type = settings.vaultType.flatMap(VaultType.init(rawValue:)) ?? vault.type
    if type == nil, fileStatus(root.path("\(directory)/\(file)")) != nil { type = .gocryptfs }
    switch type ?? .luks {
    case .luks: return .luks(device: vault.device, header: vault.header)
    case .veracrypt, .bitlocker: return .container(type: (type ?? .luks).rawValue, device: vault.device)
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
