import CLinux
import Glibc
import MailbootCore
import SQLite
import Text

/// How long to wait for another process's lock on the database, milliseconds.
private let busyMilliseconds: Int32 = 5000

/// Checks the account database: file, access, schema, contents. Changes nothing, unless the request asks for the rollback of an
/// interrupted change.
///
/// Names and samples are read as far as the state of the database allows, also when the finding is not sound.
public func checkDatabase(_ request: DatabaseRequest) -> DatabaseReply {
  do {
    return try readDatabase(request)
  } catch {
    return DatabaseReply(
      finding: Finding(.database, problems: [error], otherwise: ""), domains: [], sampleUser: nil, sampleAlias: nil)
  }
}

private func readDatabase(_ request: DatabaseRequest) throws(Problem) -> DatabaseReply {
  let path = request.path
  let (access, opened) = try fileProblems(request)
  var contents = DatabaseContents()
  var note = ""
  do {
    do {
      contents = try read(path)
    } catch  where error.kind == .interruptedChange && request.rollBackInterrupted && access.isEmpty {
      // Where others may write, the journal may be theirs: it would have root write what they like.
      // Any reading by a connection that may write does it.
      try SQLiteConnection(path: path, access: .readWrite, busyMilliseconds: busyMilliseconds).touch()
      note = "; an interrupted change was rolled back"
      contents = try read(path)
    }
  } catch {
    contents.problems = [problem(of: error, path: path)]
  }
  // SQLite opened the path a second time (closing our own descriptor later would drop its locks).
  var now = stat()
  guard lstat(path, &now) == 0, now.st_ino == opened.st_ino, now.st_dev == opened.st_dev else {
    throw Problem("\(path) was replaced while it was checked", hint: "run the check again")
  }
  return DatabaseReply(
    finding: Finding(.database, problems: contents.problems + access, otherwise: contents.summary + note),
    domains: contents.domains, sampleUser: contents.sampleUser, sampleAlias: contents.sampleAlias)
}

private func read(_ path: String) throws(SQLiteFailure) -> DatabaseContents {
  let database = try SQLiteConnection(path: path, access: .readOnly, busyMilliseconds: busyMilliseconds)
  return try DatabaseContents(reading: database, path: path)
}

/// What is wrong with the file's access, and which file it was. Throws what keeps SQLite from opening it.
private func fileProblems(_ request: DatabaseRequest) throws(Problem) -> (access: [Problem], file: stat) {
  let file = try OpenedFile(
    request.path, followingLinks: false,
    hintIfMissing:
      "restore it from a backup, or correct `database` in [verify]; on a new host `mailcfg adddom DOMAIN` makes it")
  try DatabaseFile.requireReadable(file)
  return (DatabaseFile.accessProblems(of: file, owner: request.owner, group: request.group), file.status)
}

private func problem(of failure: SQLiteFailure, path: String) -> Problem {
  let word = shellWord(path)
  switch failure.kind {
  case .interruptedChange:
    // Postfix and dovecot only read and cannot roll back either: they would answer nothing until somebody who may
    // write has opened the database. That changes it, so it is not done by a check.
    return Problem(
      "\(path) has an interrupted change that must be rolled back (hot journal \(path)-journal)",
      hint: "sqlite3 \(word) 'SELECT count(*) FROM domains'")
  case .busy:
    return Problem(
      "\(path) has been locked by another process for \(busyMilliseconds / 1000) s", hint: "fuser -v \(word)")
  case .notADatabase:
    return Problem("\(path) is not an SQLite database", hint: "restore it from a backup")
  case .damaged:
    return Problem.damaged(path, failure.message)
  default:
    return Problem("cannot read \(path): \(failure.message)")
  }
}

extension Problem {
  fileprivate static func damaged(_ path: String, _ what: String) -> Problem {
    Problem(
      "\(path) is damaged: \(printable(what))",
      hint: "restore it from a backup, or save what is left: sqlite3 \(shellWord(path)) .recover")
  }
}

/// What was read from the database.
private struct DatabaseContents {
  var problems: [Problem] = []
  var domains: [String] = []
  var sampleUser: String?
  var sampleAlias: String?
  var summary = ""

  init() {}

  init(reading database: borrowing SQLiteConnection, path: String) throws(SQLiteFailure) {
    try database.distrustContents()
    // One transaction: all answers are about the same contents.
    _ = try database.rows("BEGIN")
    let integrity = try database.column("PRAGMA integrity_check(1)")
    if integrity != ["ok"] {
      problems.append(.damaged(path, integrity.first ?? "no answer"))
    }
    problems += try DatabaseSchema.problems(in: database, path: path)
    guard problems.isEmpty else { return }
    problems = try danglingRows(in: database, path: path)
    domains = try database.column("SELECT name FROM domains ORDER BY name")
    // As postfix asks: only active users are found; a catch-all is no address to ask for.
    sampleUser = try database.column("SELECT email FROM users WHERE active=1 ORDER BY id LIMIT 1").first
    sampleAlias =
      try database.column("SELECT src FROM aliases ORDER BY src LIKE '@%', id LIMIT 1").first
    let users = try database.column("SELECT count(*) FROM users").first.flatMap { Int($0) } ?? 0
    let aliases = try database.column("SELECT count(*) FROM aliases").first.flatMap { Int($0) } ?? 0
    summary = [
      counted(domains.count, "domain"), counted(users, "user"), counted(aliases, "alias", plural: "aliases"),
    ].joined(separator: ", ")
  }

  private func danglingRows(
    in database: borrowing SQLiteConnection, path: String
  ) throws(SQLiteFailure) -> [Problem] {
    let rows = try database.rows("PRAGMA foreign_key_check")
    guard let first = rows.first, first.count >= 3 else { return [] }
    let row = "row \(first[1] ?? "?") of \(first[0] ?? "?") refers to no row of \(first[2] ?? "?")"
    let more = rows.count > 1 ? " (and \(rows.count - 1) more such)" : ""
    return [
      Problem(row + more, hint: "list them: sqlite3 \(shellWord(path)) 'PRAGMA foreign_key_check'")
    ]
  }
}
