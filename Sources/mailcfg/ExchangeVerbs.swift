import CLinux
import Glibc
import MailAccounts
import MailbootCore
import SecretMemory

/// `import FILE`
func importAccounts(_ arguments: Arguments, _ output: Output) throws(Failure) -> Int32 {
  var host = Host(arguments)
  let file = arguments.words[0]
  let format = try importFormat(arguments)
  let bytes = try importedBytes(file)
  let set: AccountSet
  switch format {
  case .json: set = try accounts { () throws(AccountError) in try AccountSet(json: bytes) }
  case .csv: set = try accountSet(csv: bytes, arguments, &host)
  }
  let request = Request.import(set, prune: arguments.has(.prune))
  let database = try host.database(.create)
  if arguments.has(.prune) && !arguments.has(.dryRun) && isatty(0) == 1 {
    let planned = try accounts { () throws(AccountError) in try database.perform(request, dryRun: true) }
    guard try isAgreed(planned.changes, arguments) else { return ExitCode.failed }
  }
  let changes = try perform(request, on: database, arguments, output, says: nil)
  try makeDirectories(for: changes, arguments, &host)
  if !arguments.has(.dryRun) && !changes.isEmpty {
    let added = changes.count(where: \.isAddition)
    let removed = changes.count(where: \.isRemoval)
    output.line("imported: \(added) added, \(changes.count - added - removed) changed, \(removed) removed")
  }
  return ExitCode.done
}

/// `export`
func exportAccounts(_ arguments: Arguments, _ output: Output) throws(Failure) {
  var host = Host(arguments)
  let database = try host.database(.read)
  let set = try accounts { () throws(AccountError) in
    try database.accounts(withPasswords: !arguments.has(.noPasswords))
  }
  set.json { output.add($0) }
}

private enum ImportFormat: String {
  case json, csv
}

/// That of `--format`, else that of the file's name.
private func importFormat(_ arguments: Arguments) throws(Failure) -> ImportFormat {
  guard let given = arguments[.format] else {
    return arguments.words[0].lowercased().hasSuffix(".csv") ? .csv : .json
  }
  guard let format = ImportFormat(rawValue: given) else {
    throw .usage("there is no format \"\(given)\" to import", hint: "one of json, csv")
  }
  return format
}

private func importedBytes(_ file: String) throws(Failure) -> [UInt8] {
  // A user takes some 200 bytes.
  let limit = 1 << 30
  let bytes = file == "-" ? contents(of: 0, limit: limit) : contents(of: file, limit: limit)
  guard let bytes else { throw .failed("\(file) cannot be read: \(String(cString: strerror(errno)))", hint: nil) }
  return bytes
}

/// Users from CSV; passwords are hashed here, one after the other.
private func accountSet(csv bytes: [UInt8], _ arguments: Arguments, _ host: inout Host) throws(Failure) -> AccountSet {
  keepOutOfDumps()
  var list: UserCSV
  do {
    list = try UserCSV(bytes)
  } catch {
    throw .failed(error.description, hint: "the first line names the columns: email,password_hash,active,quota")
  }
  var scheme: PasswordScheme?
  var set = AccountSet()
  for index in list.rows.indices {
    let row = list.rows[index]
    var user = AccountSet.User(email: row.email, passwordHash: row.passwordHash, isActive: row.active)
    do throws(Failure) {
      if let text = row.quota { user.limits.quota = .some(try quota(text)) }
      if row.password != nil {
        if scheme == nil { scheme = try chosenScheme(arguments, &host) }
        if let scheme { user.passwordHash = try hashed(try takePassword(of: &list.rows[index]), scheme).text }
      }
    } catch .usage(let text, _) {
      throw .failed("line \(row.line): \(text)", hint: nil)
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

extension Change {
  fileprivate var isAddition: Bool {
    switch self {
    case .addDomain, .addUser, .addAlias: true
    default: false
    }
  }
}
