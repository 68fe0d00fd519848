import ArgumentParser
import CLinux
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
  @Flag(help: "Also remove what the file does not have.")
  var prune = false
  @Flag(help: "Do not ask.")
  var yes = false
  @OptionGroup var scheme: SchemeOption
  @OptionGroup var options: ChangeOptions
  @OptionGroup var database: DatabaseOptions

  func perform(_ output: Output) throws(Failure) -> ExitCode {
    var host = Host(database)
    let bytes = try importedBytes()
    let set: AccountSet
    switch format ?? (file.lowercased().hasSuffix(".csv") ? .csv : .json) {
    case .json: set = try withAccountErrors { () throws(AccountError) in try AccountSet(json: bytes) }
    case .csv: set = try accountSet(csv: bytes, &host)
    }
    let request = Request.import(set, prune: prune)
    let accounts = try host.database(.create, dryRun: options.dryRun)
    if prune && !options.dryRun && isatty(0) == 1 {
      let planned = try withAccountErrors { () throws(AccountError) in try accounts.perform(request, dryRun: true) }
      guard try isAgreed(planned.changes, yes: yes) else { return .failure }
    }
    let changes = try perform(request, on: accounts, output, says: nil)
    try makeDirectories(for: changes, &host)
    if !options.dryRun && !changes.isEmpty {
      let added = changes.count(where: \.isAddition)
      let removed = changes.count(where: \.isRemoval)
      output.line("imported: \(added) added, \(changes.count - added - removed) changed, \(removed) removed")
    }
    return .done
  }

  private func importedBytes() throws(Failure) -> [UInt8] {
    // A pipe may be named: its first bytes are waited for.
    let descriptor = file == "-" ? 0 : mb_open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY, 0)
    defer { if descriptor > 0 { close(descriptor) } }
    // A user takes some 200 bytes.
    guard descriptor >= 0, let bytes = readToEnd(descriptor, limit: 1 << 30) else {
      throw .failed("\(file) cannot be read: \(errnoText())", hint: nil)
    }
    return bytes
  }

  /// Users from CSV; passwords are hashed here, one after the other.
  private func accountSet(csv bytes: [UInt8], _ host: inout Host) throws(Failure) -> AccountSet {
    keepOutOfDumps()
    var list: UserCSV
    do {
      list = try UserCSV(bytes)
    } catch {
      throw .failed(error.description, hint: "the first line names the columns: email,password_hash,active,quota")
    }
    var chosen: PasswordScheme?
    var set = AccountSet()
    for index in list.rows.indices {
      let row = list.rows[index]
      var user = AccountSet.User(email: row.email, passwordHash: row.passwordHash, isActive: row.active)
      if let text = row.quota {
        do throws(Quota.NoSize) {
          user.limits.quota = .some(try Quota(text).bytes)
        } catch {
          throw .failed("line \(row.line): \(error)", hint: nil)
        }
      }
      if row.password != nil {
        do throws(Failure) {
          if chosen == nil { chosen = try chosenScheme(scheme.scheme, &host) }
          if let chosen { user.passwordHash = try hashed(try takePassword(of: &list.rows[index]), chosen).text }
        } catch .usage(let text, _) {
          throw .failed("line \(row.line): \(text)", hint: nil)
        }
      }
      set.users.append(user)
    }
    return set
  }

  /// Moves the password of a row into locked memory.
  private func takePassword(of row: inout UserCSV.Row) throws(Failure) -> SecretBytes {
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
}

struct ExportAccounts: Verb {
  static let configuration = CommandConfiguration(commandName: "export", abstract: "Print all accounts as JSON.")

  @Flag(help: "Leave the passwords out.")
  var noPasswords = false
  @OptionGroup var database: DatabaseOptions

  func perform(_ output: Output) throws(Failure) -> ExitCode {
    var host = Host(database)
    let accounts = try host.database(.read)
    let set = try withAccountErrors { () throws(AccountError) in try accounts.accounts(withPasswords: !noPasswords) }
    set.json { output.add($0) }
    return .done
  }
}

extension Change {
  fileprivate var isAddition: Bool {
    switch self {
    case .addDomain, .addUser, .addAlias: true
    default: false
    }
  }
}
