import CLinux
import Glibc
import Linux
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
    return DatabaseReply(finding: Finding(.database, problems: [error], otherwise: ""))
  }
}

private func readDatabase(_ request: DatabaseRequest) throws(Problem) -> DatabaseReply {
  // A link may lead there, as it does for postfix and dovecot. What is looked at is the file itself.
  let path = resolvedPath(request.path) ?? request.path
  let (access, opened) = try fileProblems(path, request)
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
    throw Problem(.databaseUnreadable, "\(path) was replaced while it was checked", hint: "run the check again")
  }
  return DatabaseReply(
    finding: Finding(.database, problems: contents.problems + access, otherwise: contents.summary + note),
    domains: contents.domains, users: contents.users, aliases: contents.aliases)
}

private func read(_ path: String) throws(SQLiteFailure) -> DatabaseContents {
  let database = try SQLiteConnection(path: path, access: .readOnly, busyMilliseconds: busyMilliseconds)
  return try DatabaseContents(reading: database, path: path)
}

/// What is wrong with the file's access, and which file it was. Throws what keeps SQLite from opening it.
private func fileProblems(
  _ path: String, _ request: DatabaseRequest
) throws(Problem) -> (access: [Problem], file: stat) {
  let file: OpenedFile
  do {
    file = try OpenedFile(path, followingLinks: false)
  } catch {
    throw error.isMissing
      ? error.problem(
        .databaseMissing,
        hint:
          "restore it from a backup, or correct `database` in [verify]; on a new host `mailcfg adddom DOMAIN` makes it")
      : error.problem(.databaseUnreadable)
  }
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
      .databaseInterrupted, "\(path) has an interrupted change that must be rolled back (hot journal \(path)-journal)",
      hint: "sqlite3 \(word) 'SELECT count(*) FROM domains'")
  case .busy:
    return Problem(
      .databaseUnreadable, "\(path) has been locked by another process for \(busyMilliseconds / 1000) s",
      hint: "fuser -v \(word)")
  case .notADatabase:
    return Problem(.databaseForeign, "\(path) is not an SQLite database", hint: "restore it from a backup")
  case .damaged:
    return Problem.damaged(path, failure.message)
  default:
    return Problem(.databaseUnreadable, "cannot read \(path): \(failure.message)")
  }
}

extension Problem {
  static func damaged(_ path: String, _ what: String) -> Problem {
    Problem(
      .databaseDamaged, "\(path) is damaged: \(printable(what))",
      hint: "restore it from a backup, or save what is left: sqlite3 \(shellWord(path)) .recover")
  }
}
