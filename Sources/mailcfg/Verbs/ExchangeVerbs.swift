import ArgumentParser
import CLinux
import Console
import Glibc
import Linux
import MailAccounts
import MailbootCore
import SecretMemory

struct ImportAccounts: ChangingVerb {
  enum Format: String, ExpressibleByArgument, CaseIterable {
    case json, csv
  }

  static let configuration = CommandConfiguration(
    commandName: "import", abstract: "Add and change accounts from JSON (as of `export`) or CSV.")

  @Argument(help: "- for standard input.", completion: .file()) var file: String
  @Option(help: "What the file is; without it: CSV for a name that ends in .csv, else JSON.")
  var format: Format?
  @Flag(help: "Add the domains of its users and aliases if they are not there.")
  var createDomain = false
  @Flag(help: "Also remove what the file, of JSON, does not have.")
  var prune = false
  @Flag(help: "Do not ask, and remove every domain or user if the file has none.")
  var yes = false
  @OptionGroup var scheme: SchemeOption
  @OptionGroup var options: ChangeOptions
  @OptionGroup var database: DatabaseOptions

  func perform(_ output: Output) throws(Failure) -> ExitCode {
    var host = Host(database)
    let format = format ?? (file.lowercased().hasSuffix(".csv") ? .csv : .json)
    guard format == .json || !prune else {
      throw .usage(
        "a CSV file never has all accounts, so nothing can be removed for not being in it",
        hint: "--prune is for JSON with the three lists `domains`, `users` and `aliases`")
    }
    // A pipe may be named: its first bytes are waited for.
    let descriptor = file == "-" ? 0 : mb_open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY, 0)
    defer { if descriptor > 0 { close(descriptor) } }
    guard descriptor >= 0 else { throw unreadable() }
    let accounts = try host.database(.create, dryRun: options.dryRun)
    keepTemporaryFiles(beside: accounts.path)
    output.mayWait(beside: accounts.path)
    let stage = try withAccountErrors { () throws(AccountError) in try accounts.newImport() }
    switch format {
    case .json: try readJSON(descriptor, into: stage)
    case .csv: try readCSV(descriptor, into: stage, accounts, &host)
    }
    guard let summary = try make(stage, on: accounts, output) else { return .failure }
    warn(of: summary.warnings)
    try makeDirectories(ofDomains: summary.newDomains, &host)
    if !options.dryRun && !summary.isEmpty {
      output.line("imported: \(summary.added) added, \(summary.changed) changed, \(summary.removed) removed")
    }
    return .done
  }

  private func make(
    _ stage: ImportStage, on accounts: borrowing AccountDatabase, _ output: Output
  ) throws(Failure) -> ImportSummary? {
    var refusal: Failure?
    let isAsked = prune && !options.dryRun && !yes && isatty(0) == 1
    // Who is asked, or only looks, sees it.
    let mayPruneAll = yes || isAsked || options.dryRun
    let summary = try withAccountErrors { () throws(AccountError) in
      try accounts.make(
        stage, ImportOptions(prunes: prune, mayPruneAll: mayPruneAll, makesDomains: createDomain),
        dryRun: options.dryRun
      ) { summary in
        guard isAsked, summary.removed > 0 else { return true }
        do throws(Failure) {
          return try agrees(to: summary)
        } catch {
          refusal = error
          return false
        }
      } planned: { change in
        if options.dryRun { output.visibleLine(change.line) }
      }
    }
    if let refusal { throw refusal }
    return summary
  }

  private func agrees(to summary: ImportSummary) throws(Failure) -> Bool {
    tell("what the file does not have:")
    tell(summary.firstRemovals, of: summary.removed)
    let parts = [
      (summary.removedDomains, "domain", "domains"), (summary.removedUsers, "user", "users"),
      (summary.removedAliases, "alias", "aliases"),
    ].filter { $0.0 > 0 }.map { "\($0.0) \($0.0 == 1 ? $0.1 : $0.2)" }
    return try isAgreed("Remove \(parts.joined(separator: ", "))?")
  }

  private func readJSON(_ descriptor: Int32, into stage: ImportStage) throws(Failure) {
    let lists = try withAccountErrors { () throws(AccountError) in
      try ImportFile.read(json: source(descriptor)) { (row) throws(AccountError) in try stage.add(row) }
    }
    let missing = ImportFile.List.allCases.filter { !lists.contains($0) }.map(\.rawValue)
    guard !prune || missing.isEmpty else {
      throw .failed(
        "with --prune the file must have all three lists; it has no \(missing.joined(separator: ", no "))",
        hint: "an empty list, `[]`, says that there are none")
    }
  }

  /// Users or aliases from CSV; passwords are hashed here, one after the other.
  private func readCSV(
    _ descriptor: Int32, into stage: ImportStage, _ accounts: borrowing AccountDatabase, _ host: inout Host
  ) throws(Failure) {
    keepOutOfDumps()
    var chosen: PasswordScheme?
    var refusal: Failure?
    do throws(AccountError) {
      try AccountCSV.read(source(descriptor)) { (row, line) throws(AccountError) in
        switch row {
        case .alias(let source, let destination):
          try stage.add(.alias(ImportedAlias(source: source, destination: destination)))
        case .user(var row):
          let user: ImportedUser
          do throws(Failure) {
            user = try self.user(&row, accounts, &chosen, &host)
          } catch {
            refusal = error
            throw .interrupted
          }
          try stage.add(.user(user))
        }
      }
    } catch {
      if let refusal { throw refusal }
      throw .failed(
        error.description, hint: "the first line names the columns: email,password_hash,active,quota or src,dst")
    }
  }

  private func user(
    _ row: inout AccountCSV.UserRow, _ accounts: borrowing AccountDatabase, _ chosen: inout PasswordScheme?,
    _ host: inout Host
  ) throws(Failure) -> ImportedUser {
    var user = ImportedUser(email: row.email, passwordHash: row.passwordHash, isActive: row.active)
    if let text = row.quota {
      do throws(Quota.NoSize) {
        user.limits.quota = .some(try Quota(text).bytes)
      } catch {
        throw .failed("line \(row.line): \(error)", hint: nil)
      }
    }
    guard row.password != nil else { return user }
    let password = try takePassword(of: &row)
    // The same list may come every night.
    if let stored = try? accounts.storedPassword(of: row.email).stored,
      (try? StoredHash(stored).matches(password)) == true
    {
      return user
    }
    if chosen == nil { chosen = try chosenScheme(scheme.scheme, &host) }
    do throws(Failure) {
      if let chosen { user.passwordHash = try hashed(password, chosen).text }
    } catch .usage(let text, _) {
      throw .failed("line \(row.line): \(text)", hint: nil)
    }
    return user
  }

  /// Moves the password of a row into locked memory.
  private func takePassword(of row: inout AccountCSV.UserRow) throws(Failure) -> SecretBytes {
    do {
      var secret = try SecretBytes(capacity: max(1, row.password?.count ?? 0))
      for index in (row.password ?? []).indices {
        try secret.append(row.password?[index] ?? 0)
        row.password?[index] = 0
      }
      return secret
    } catch {
      throw .failed("\(error)", hint: nil)
    }
  }

  private func source(_ descriptor: Int32) -> ImportSource {
    ImportSource { () throws(AccountError) in
      var chunk = [UInt8](repeating: 0, count: 1 << 16)
      while true {
        let count = chunk.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
        if count >= 0 { return Array(chunk[..<count]) }
        if errno != EINTR { throw .invalid("\(file) cannot be read: \(errnoText())") }
      }
    }
  }

  private func unreadable() -> Failure { .failed("\(file) cannot be read: \(errnoText())", hint: nil) }
}

/// What SQLite keeps on the disk until the end has hashes of passwords in it.
private func keepTemporaryFiles(beside database: String) {
  let directory = parentDirectory(of: database)
  if access(directory, W_OK | X_OK) == 0 { setenv("SQLITE_TMPDIR", directory, 0) }
}

struct ExportAccounts: Verb {
  static let configuration = CommandConfiguration(commandName: "export", abstract: "Print all accounts as JSON.")

  @Flag(help: "Leave the passwords out.")
  var noPasswords = false
  @OptionGroup var database: DatabaseOptions

  func perform(_ output: Output) throws(Failure) -> ExitCode {
    var host = Host(database)
    let accounts = try host.database(.read)
    output.mayWait(beside: accounts.path)
    try withAccountErrors { () throws(AccountError) in
      try accounts.export(withPasswords: !noPasswords, begin: output.forget) { output.add($0) }
    }
    return .done
  }
}
