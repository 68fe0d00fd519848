import Text

/// Something of the host that a backup has, or need not have.
public struct SavedPath: Equatable, Sendable {
  /// A file, a directory with all that is in it, or a pattern as rsync(1) and others know it.
  public var path: String
  public var what: String
  /// Whether it is there only while the vault is open.
  public var isInVault: Bool
  /// How it is taken as it was at one moment; of what is left out, why.
  public var note: String

  public init(path: String, what: String, isInVault: Bool, note: String) {
    self.path = path
    self.what = what
    self.isInVault = isInVault
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
  public var vault: VaultSource

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

  public init(settingsFile: String, mailbootFile: String, state: String, vault: VaultSource) {
    self.settingsFile = settingsFile
    self.mailbootFile = mailbootFile
    self.state = state
    self.vault = vault
  }
}
