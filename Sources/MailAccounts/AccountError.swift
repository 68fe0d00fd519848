/// Why a request could not be done. Nothing was changed then.
public enum AccountError: Error, Equatable, Sendable {
  case database(DatabaseProblem, path: String)
  case name(NameError)
  /// The address's domain is none of this host's.
  case unknownDomain(DomainName, address: String)
  case noDomain(String)
  case noUser(String)
  case noAlias(String)
  case noAliasNumber(Int64)
  /// Mail would go round in circles along these addresses, the first of which comes again.
  case aliasLoop([String])
  /// Rows of an import that cannot be taken: some of them, and how many there are.
  case refusedRows([String], count: Int)
  /// An import that would remove every domain, or every user.
  case prunesAll(String)
  /// A signal came before anything was changed.
  case interrupted
  /// A quota below zero, a file that is no export…
  case invalid(String)
}

/// What keeps the file from being used.
public enum DatabaseProblem: Equatable, Sendable {
  case missing
  /// There is no directory for it.
  case noDirectory(String)
  case notADatabase
  case damaged(String)
  /// Another application's, or far too old: these tables or columns are missing.
  case foreignSchema([String])
  /// Written by a newer mailcfg.
  case newerSchema(Int64)
  case journalModeWAL
  /// Another process has held a lock for this many seconds.
  case busy(seconds: Int)
  case readOnly
  /// This user may not read, or not write, the file or its directory.
  case notPermitted
  case full
  /// A new one cannot be given to them.
  case noOwner(user: String, group: String)
  /// An interrupted change has to be rolled back, and this user may not write.
  case interruptedChange
  /// There is a journal, in a directory where everybody may make files.
  case foreignJournal
  case symbolicLink
  /// errno's or SQLite's words.
  case other(String)
}

extension AccountError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .database(let problem, let path): problem.text(path)
    case .name(let error): error.description
    case .unknownDomain(let domain, let address):
      "\(domain.text), the domain of \(address), is none of this host's domains"
    case .noDomain(let name): "there is no domain \(name)"
    case .noUser(let email): "there is no user \(email)"
    case .noAlias(let source): "there is no alias \(source)"
    case .noAliasNumber(let number): "there is no alias with the number \(number)"
    case .aliasLoop(let path): "mail would go round in circles: " + (path + path.prefix(1)).joined(separator: " -> ")
    case .refusedRows(let rows, let count):
      rows.joined(separator: "\n") + (count > rows.count ? "\nand \(count - rows.count) more such rows" : "")
    case .prunesAll(let what): "the import would remove all \(what)"
    case .interrupted: "interrupted; nothing was changed"
    case .invalid(let what): what
    }
  }
}

extension DatabaseProblem {
  func text(_ path: String) -> String {
    switch self {
    case .missing: "\(path) is not there"
    case .noDirectory(let directory): "there is no directory \(directory)"
    case .notADatabase: "\(path) is not an SQLite database"
    case .damaged(let what): "\(path) is damaged: \(what)"
    case .foreignSchema(let missing): "\(path) is not an account database: it lacks \(missing.joined(separator: ", "))"
    case .newerSchema(let version):
      "\(path) was written by a newer mailcfg (schema \(version); this one knows \(Schema.version))"
    case .journalModeWAL: "\(path) is in journal mode WAL, which chrooted postfix daemons cannot open"
    case .busy(let seconds): "\(path) has been locked by another process for \(seconds) s"
    case .readOnly: "\(path) may only be read"
    case .notPermitted: "you may not open \(path)"
    case .noOwner(let user, let group):
      "\(path) was not made: there is no user \(user), or no group \(group), for it to belong to"
    case .full: "the file system of \(path) is full"
    case .interruptedChange: "\(path) has an interrupted change that must be rolled back"
    case .foreignJournal:
      "\(path) has an interrupted change that must be rolled back, in a directory where everybody could have made it up"
    case .symbolicLink: "\(path) is a symbolic link"
    case .other(let reason): "cannot use \(path): \(reason)"
    }
  }
}
