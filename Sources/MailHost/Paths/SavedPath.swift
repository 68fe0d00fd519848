import Text

/// Something of the host that a backup has, or need not have.
public struct SavedPath: Equatable, Sendable {
  /// A file, a directory with all that is in it, or a pattern as rsync(1) and others know it.
  public var path: String
  public var what: String
  /// The name of the vault that it is in, and there only while that is open; nil: in none.
  public var vault: String?
  /// How it is taken as it was at one moment; of what is left out, why.
  public var note: String

  public init(path: String, what: String, vault: String?, note: String) {
    self.path = path
    self.what = what
    self.vault = vault
    self.note = note
  }
}

/// What besides the settings tells where things are.
public struct SavedPathFacts: Equatable, Sendable {
  /// What is kept in one file of these names with its drop-ins: `mailhost.toml`, `mailboot.toml`.
  public var settingsFile: String
  public var mailbootFile: String
  /// Where the generations are.
  public var state: String
  /// The mail host's.
  public var vault: Vault
  /// Further ones, of `[[vault]]`.
  public var otherVaults: [Vault]

  public struct Vault: Equatable, Sendable {
    public var name: String
    public var mount: String
    public var source: VaultSource

    public init(name: String = "vault", mount: String = "/vault", source: VaultSource) {
      self.name = name
      self.mount = mount
      self.source = source
    }

    func has(_ path: String) -> Bool { source != .none && (path == mount || path.hasPrefix(mount + "/")) }
  }

  /// All of them, the mail host's first.
  public var vaults: [Vault] { [vault] + otherVaults }

  /// The one in which a path is: that whose mount point is nearest to it.
  func vault(of path: String) -> Vault? {
    vaults.filter { $0.has(path) }.max { $0.mount.utf8.count < $1.mount.utf8.count }
  }

  /// What the vault is kept on.
  public enum VaultSource: Equatable, Sendable {
    /// - Parameters:
    ///   - device: nil: `mailboot` looks for it.
    ///   - header: a detached one.
    case luks(device: String?, header: String?)
    /// - Parameters:
    ///   - directory: the encrypted one.
    ///   - configuration: the name of the file in it without which no passphrase opens it.
    case gocryptfs(directory: String, configuration: String)
    /// A container or volume of another format, which has its header in itself.
    case container(type: String, device: String?)
    /// Nothing is encrypted.
    case none

    /// As `vault_type` has it.
    public var type: String {
      switch self {
      case .luks: "luks"
      case .container(let type, _): type
      case .gocryptfs: "gocryptfs"
      case .none: "none"
      }
    }

    /// How what opens the vault is saved; nil: there is nothing to open.
    public var hint: String? {
      let warning =
        "Without it no passphrase opens the vault; with it every passphrase does that was valid then."
      switch self {
      case .luks(let device, nil):
        return "Save its header, once and after each change of a passphrase: "
          + "`cryptsetup luksHeaderBackup \(shellWord(device ?? "DEVICE")) --header-backup-file FILE`. \(warning)"
      case .luks(_, let header?): return "Save its header, \(header). \(warning)"
      case .gocryptfs(let directory, let configuration):
        return "Save \(directory)/\(configuration). \(warning) \(directory) as a whole can be saved instead of what is "
          + "in the vault, as it is encrypted; take it while the vault is locked, as databases are not whole else."
      case .container(_, let device):
        return
          "Save \(device ?? "the container") as a whole while the vault is locked, or at least its header with the program "
          + "that made it: without a header no passphrase opens it."
      case .none: return nil
      }
    }
  }

  public init(settingsFile: String, mailbootFile: String, state: String, vault: Vault, otherVaults: [Vault] = []) {
    self.settingsFile = settingsFile
    self.mailbootFile = mailbootFile
    self.state = state
    self.vault = vault
    self.otherVaults = otherVaults
  }
}
