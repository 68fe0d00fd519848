import MailAccounts
import MailbootCore

/// The call's configuration, read only when something in it is needed.
struct Host {
  private let options: DatabaseOptions
  private var loaded: Settings?

  init(_ options: DatabaseOptions) { self.options = options }

  mutating func settings() throws(Failure) -> Settings {
    if let loaded { return loaded }
    let settings = try Settings.load(options.config)
    loaded = settings
    return settings
  }

  enum Purpose {
    /// For a completion: see ``AccountDatabase/Access/look``.
    case look
    case read, change
    /// A domain may be added: this may be the first.
    case create
  }

  /// The database: the one of `--db`, else the configured one, for which its file system must be mounted. A dry run only reads.
  mutating func database(_ purpose: Purpose, dryRun: Bool = false) throws(Failure) -> AccountDatabase {
    let path = try databasePath()
    var access = AccountDatabase.Access.read
    if purpose == .create && !dryRun {
      // Postfix and dovecot read it as members of the mail user's group.
      access = .create(owner: "root", group: try settings().accounts.owner)
    } else if purpose == .change && !dryRun {
      access = .change
    } else if purpose == .look {
      access = .look
    }
    let database = try withAccountErrors { () throws(AccountError) in
      try AccountDatabase(path: path, access, mailSystem: MailSystem.ofThisHost)
    }
    // The path may be mistyped.
    if database.isNew { warn("made a new database, \(database.path)") }
    return database
  }

  private mutating func databasePath() throws(Failure) -> String {
    if let path = options.db { return path }
    let settings = try settings()
    guard isMountPoint(settings.mount) else { throw .notMounted(settings.mount) }
    return settings.database
  }

  mutating func directories() throws(Failure) -> MailDirectories {
    let accounts = try settings().accounts
    return MailDirectories(
      spool: accounts.spool, sieve: accounts.sieve, owner: accounts.owner, group: accounts.owner)
  }
}
