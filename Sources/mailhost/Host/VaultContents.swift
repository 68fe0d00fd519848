import CLinux
import Glibc
import Linux
import MailAccounts
import MailHost

/// What is in the vault: directories, the account database, keys, filters. Looked at, and made, only while it is open.
struct VaultContents {
  let settings: HostSettings
  let facts: HostFacts
  let root: HostRoot
  let files: [RenderedFile]
  /// What the administrator has said about filters that somebody has written.
  var decisions = HostObserver.Decisions()
  let report: (String) -> Void

  /// One thing that is not as it should be, and what makes it so.
  private struct Lack {
    var change: HostChange
    var mend: () throws(HostFailure) -> Void
  }

  /// What is missing, or not as it is to be; and filters that somebody has written.
  func changes() throws(HostFailure) -> [HostChange] {
    var changes = try lacks().map(\.change)
    for file in filters {
      let path = file.file.path
      guard let reason = try others(file), !decisions.overwrite.contains(path) else { continue }
      let diff = (try explained { () throws(SystemError) in try root.read(path) }).map {
        UnifiedDiff.lines($0.text, file.text, context: 2)
      }
      changes.append(
        HostChange(.filter, decisions.keep.contains(path) ? .keep : .decide, path, reason: reason, diff: diff ?? []))
    }
    return changes
  }

  private var filters: [RenderedFile] { files.filter { settings.isInVault($0.file.path) || $0.file.syntax == .sieve } }

  private func lastWritten(_ path: String) -> String { "\(GenerationStore.directory)/vault\(path)" }

  /// Whose a filter is that says something else than ours; nil when it is ours, or not there.
  private func others(_ file: RenderedFile) throws(HostFailure) -> String? {
    let path = file.file.path
    let (there, ours) = try explained { () throws(SystemError) in
      (try root.read(path)?.text, try root.read(lastWritten(path))?.text)
    }
    guard let there, there != file.text, there != ours else { return nil }
    return ours == nil ? "is not ours" : "was edited since we wrote it"
  }

  /// Makes it so. What depends on something made before is looked at again, so it goes on until nothing is missing.
  func fill() throws(HostFailure) {
    var tried: Set<String> = []
    while true {
      let open = try lacks().filter { !tried.contains($0.change.subject + $0.change.action.rawValue) }
      if open.isEmpty { return }
      for lack in open {
        tried.insert(lack.change.subject + lack.change.action.rawValue)
        report("\(lack.change.action.rawValue) \(lack.change.kind.rawValue) \(lack.change.subject)")
        try lack.mend()
      }
    }
  }

  private func lacks() throws(HostFailure) -> [Lack] {
    var lacks = directoryLacks(settings.directories(redisName: facts.versions.redisName))
    if !lacks.isEmpty { return lacks }
    lacks += try fileLacks() + queueLacks()
    lacks += try accountLacks()
    if lacks.isEmpty { lacks = try domainLacks() }
    return lacks
  }

  private func directoryLacks(_ wanted: [HostDirectory]) -> [Lack] {
    wanted.compactMap { directory in
      let there = root.directory(directory.path)
      let isRight =
        there == Generation.Attributes(mode: directory.mode, owner: directory.owner, group: directory.group)
      if isRight { return nil }
      return Lack(
        change: HostChange(
          .directory, there == nil ? .create : .change, directory.path,
          reason: there.map {
            "is \($0.owner):\($0.group) \(octal($0.mode)), not "
              + "\(directory.owner):\(directory.group) \(octal(directory.mode))"
          })
      ) { () throws(HostFailure) in
        try explained { () throws(SystemError) in try root.make(directory) }
      }
    }
  }

  /// Filters of all users. One that somebody has written stays until there is a word about it.
  private func fileLacks() throws(HostFailure) -> [Lack] {
    var lacks: [Lack] = []
    for file in filters {
      let path = file.file.path
      let wanted = Generation.Attributes(mode: file.file.mode, owner: file.file.owner, group: file.file.group)
      let there = try explained { () throws(SystemError) in try root.read(path) }
      let isOthers = try others(file) != nil
      if isOthers, !decisions.overwrite.contains(path) { continue }
      let isCompiled = file.file.syntax != .sieve || isFresh(compiled(path), than: path)
      if there == HostRoot.Stored(bytes: Array(file.text.utf8), attributes: wanted), isCompiled { continue }
      lacks.append(
        Lack(
          change: HostChange(
            .filter, there == nil ? .create : .change, path, reason: isCompiled ? nil : "is not compiled")
        ) { () throws(HostFailure) in
          let record = Generation.Attributes(mode: 0o644, owner: "root", group: "root")
          try explained { () throws(SystemError) in
            if let there, isOthers {
              try root.write("\(GenerationStore.directory)/vault-before\(path)", there.bytes, record)
            }
            try root.write(path, Array(file.text.utf8), wanted)
            try root.write(lastWritten(path), Array(file.text.utf8), record)
          }
          if file.file.syntax == .sieve { try compile(path) }
        })
    }
    return lacks
  }

  private func compiled(_ path: String) -> String { String(path.dropLast("sieve".count)) + "svbin" }

  /// A script that an older pigeonhole has compiled is not taken by a newer one.
  private func isFresh(_ binary: String, than script: String) -> Bool {
    guard root.isHere, let one = fileStatus(binary), let other = fileStatus(script) else { return !root.isHere }
    let version = (try? root.read(compilerRecord))?.text ?? ""
    return one.st_mtim.tv_sec >= other.st_mtim.tv_sec && version == facts.versions.dovecot.description
  }

  private var compilerRecord: String { "\(GenerationStore.directory)/sieve-compiled-by" }

  /// As the mail user: the directory is its own.
  private func compile(_ path: String) throws(HostFailure) {
    guard root.isHere else { return }
    try succeed(["/usr/sbin/runuser", "-u", "vmail", "--", "/usr/bin/sievec", path])
    guard chmod(compiled(path), 0o640) == 0 else { throw HostFailure(.failed, "\(compiled(path)): \(errnoText())") }
    try explained { () throws(SystemError) in
      try root.write(
        compilerRecord, Array(facts.versions.dovecot.description.utf8),
        Generation.Attributes(mode: 0o644, owner: "root", group: "root"))
    }
  }

  /// Dovecot puts its sockets into postfix's queue, whose directories must be there first.
  private func queueLacks() -> [Lack] {
    guard root.isHere, root.directory("\(settings.queue)/private") == nil else { return [] }
    return [
      Lack(change: HostChange(.directory, .create, "\(settings.queue)/private", reason: "postfix makes its queue")) {
        () throws(HostFailure) in
        try succeed(["/usr/sbin/postfix", "check"], seconds: 120)
      }
    ]
  }

  // MARK: Accounts

  private func accountLacks() throws(HostFailure) -> [Lack] {
    let path = root.path(settings.database)
    if fileStatus(path) == nil {
      return [
        Lack(change: HostChange(.database, .create, settings.database)) { () throws(HostFailure) in
          let group = root.users.groupNumber("vmail").map { String($0) } ?? "vmail"
          try withDatabase(.create(owner: "0", group: group)) { database throws(AccountError) in
            _ = try database.ensureLimits()
          }
        }
      ]
    }
    var lacks: [Lack] = []
    let there = try accounts()
    if !there.hasLimits {
      lacks.append(
        Lack(
          change: HostChange(.database, .change, settings.database, reason: "has no columns for limits (mailcfg set)")
        ) {
          () throws(HostFailure) in
          try withDatabase(.change) { database throws(AccountError) in _ = try database.ensureLimits() }
        })
    }
    for request in missing(there) {
      lacks.append(
        Lack(change: HostChange(.account, .create, request.subject, reason: request.reason)) {
          () throws(HostFailure) in
          try withDatabase(.change) { database throws(AccountError) in _ = try database.perform(request.request) }
        })
    }
    return lacks
  }

  private struct Accounts {
    var domains: Set<String> = []
    var users: Set<String> = []
    var aliases: Set<String> = []
    var hasLimits = false
  }

  private func accounts() throws(HostFailure) -> Accounts {
    var there = Accounts()
    try withDatabase(.look) { database throws(AccountError) in
      there.hasLimits = try database.hasLimits()
      try database.domains { there.domains.insert($0.name) }
      // Only these: there may be a million others.
      for user in settings.users where (try? database.storedPassword(of: user.email)) != nil {
        there.users.insert(user.email)
      }
      try database.aliases { there.aliases.insert($0.source) }
    }
    return there
  }

  private struct MissingAccount {
    var subject: String
    var reason: String?
    var request: Request
  }

  /// What the settings name and the database does not have. What it has is never changed: it is the truth.
  private func missing(_ there: Accounts) -> [MissingAccount] {
    var missing: [MissingAccount] = []
    for name in settings.domains where !there.domains.contains(name) {
      guard let domain = try? DomainName(name) else { continue }
      missing.append(MissingAccount(subject: name, request: .addDomain(domain)))
    }
    for user in settings.users where !there.users.contains(user.email) {
      guard let email = try? EmailAddress(user.email) else { continue }
      let hash = user.passwordHash.flatMap(PasswordHash.init(given:))
      missing.append(
        MissingAccount(
          subject: user.email, reason: hash == nil ? "without a password: `mailcfg passwd \(user.email)`" : nil,
          request: .addUser(email, hash ?? .none, Limits(), isActive: true, createDomain: true)))
    }
    var aliases = settings.aliases
    for domain in settings.domains {
      for name in settings.administratorAliases where "\(name)@\(domain)" != settings.administrator {
        aliases.append(HostSettings.Alias(source: "\(name)@\(domain)", destination: settings.administrator))
      }
    }
    for alias in aliases where !there.aliases.contains(alias.source) {
      guard let source = try? AliasSource(alias.source),
        let destination = try? AliasDestinations(alias.destination, of: source)
      else { continue }
      missing.append(
        MissingAccount(
          subject: "\(alias.source) → \(alias.destination)",
          request: .addAlias(source, destination, createDomain: true)))
    }
    return missing
  }

  private func withDatabase(
    _ access: AccountDatabase.Access, _ work: (borrowing AccountDatabase) throws(AccountError) -> Void
  ) throws(HostFailure) {
    do throws(AccountError) {
      let database = try AccountDatabase(path: root.path(settings.database), access)
      try work(database)
    } catch {
      throw HostFailure(.failed, "\(settings.database): \(error)", hint: "see `mailcfg check`")
    }
  }

  // MARK: Domains

  /// Each domain's directories and, where mail is signed, its key.
  private func domainLacks() throws(HostFailure) -> [Lack] {
    let domains = try accounts().domains.sorted()
    var lacks = directoryLacks(
      domains.flatMap { domain in
        [settings.spool, settings.sieve].map {
          HostDirectory(path: "\($0)/\(domain)", owner: "vmail", group: "vmail", mode: 0o770)
        }
      }.filter { root.directory($0.path) == nil })
    guard settings.spamFilter, let usual = settings.selector else { return lacks }
    let keys = KeyDirectory(settings: settings, root: root)
    let table = try keys.table()
    for domain in domains {
      // What signs now, by what `mailhost dkim` has said since or by the settings.
      let signing = table.selectors[domain] ?? [usual]
      for selector in signing + [settings.nextSelector].compactMap(\.self) {
        let path = "\(settings.dkim)/\(domain).\(selector).key"
        guard fileStatus(root.path(path)) == nil else { continue }
        lacks.append(
          Lack(change: HostChange(.key, .create, path)) { () throws(HostFailure) in
            try keys.make(domain, selector, .rsa)
          })
      }
    }
    return lacks
  }
}

/// What the system refused, as a failure of the call.
func explained<Result>(_ work: () throws(SystemError) -> Result) throws(HostFailure) -> Result {
  do {
    return try work()
  } catch {
    throw HostFailure(.failed, error.text, hint: error.code == ENOSPC ? "make room on that disk, then call again" : nil)
  }
}

/// A mode as people write it: `0640`.
func octal(_ mode: UInt32) -> String {
  let digits = String(mode, radix: 8)
  return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
}
