import Console
import Glibc
import Linux
import MailAccounts
import MailbootCore
import Text

/// Shows a failure and what to do about it.
/// - Parameter database: of the call, where it could be understood.
/// - Returns: the exit code.
func complain(_ failure: Failure, _ database: DatabaseOptions?) -> ExitCode {
  if let summary = summary(failure) {
    show("error:", .red, summary)
    if let hint = hint(failure) { advise(onTheSameDatabase(hint, database)) }
  }
  return exitCode(failure)
}

/// The hint with its calls of mailcfg for the database that this call was for.
private func onTheSameDatabase(_ hint: String, _ database: DatabaseOptions?) -> String {
  let options = [("--db", database?.db), ("--config", database?.config)].compactMap { name, value in
    value.map { " \(name) \(shellWord($0))" }
  }
  guard !options.isEmpty else { return hint }
  let parts = hint.split(separator: "`", omittingEmptySubsequences: false)
  return parts.indices.map { index in
    index % 2 == 1 && parts[index].hasPrefix("mailcfg ") ? parts[index] + options.joined() : String(parts[index])
  }.joined(separator: "`")
}

/// Something that is worth a look. Nothing failed.
func warn(_ text: String) { show("warning:", .yellow, text) }

/// What to do about the error or warning before.
func advise(_ text: String) { show("hint:", .bold, text) }

private func show(_ label: String, _ colour: Terminal.Colour, _ text: String) {
  let terminal = Terminal()
  let line = terminal.wrapped("\(label) " + visible(text), indent: 2)
  tell(terminal.coloured(label, colour) + line.dropFirst(label.count))
}

/// Nil: nothing has to be said any more.
private func summary(_ failure: Failure) -> String? {
  switch failure {
  case .usage(let text, _), .failed(let text, _): text
  case .accounts(let error): error.description
  case .notMounted(let path): "\(path) is not mounted"
  case .configuration, .interrupted: nil
  // As `head` leaves it.
  case .output(errno: EPIPE): nil
  case .output(let code): "cannot write to standard output: \(errnoText(code))"
  }
}

private func exitCode(_ failure: Failure) -> ExitCode {
  switch failure {
  case .usage, .accounts(.name): .usage
  case .accounts(.database(.notPermitted, _)): .notPermitted
  case .accounts(.database(.readOnly, _)), .accounts(.database(.interruptedChange, _)):
    geteuid() == 0 ? .failure : .notPermitted
  case .accounts, .failed, .notMounted, .output: .failure
  case .configuration: .configuration
  case .interrupted: .interrupted
  }
}

/// What to do: the one place where every error meets its remedy.
private func hint(_ failure: Failure) -> String? {
  switch failure {
  case .usage(_, let hint), .failed(_, let hint): hint
  case .accounts(.database(let problem, let path)): hint(problem, path)
  case .accounts(let error): hint(error)
  case .notMounted: "unlock it first: `mailboot`; with `--db FILE` mailcfg asks for no mount"
  case .configuration, .interrupted: nil
  case .output: "see `df -h`; what has been changed in the database stays changed"
  }
}

private func hint(_ error: AccountError) -> String? {
  switch error {
  case .unknownDomain(let domain, _):
    "is it a typing mistake? if it is not: `mailcfg adddom \(domain.text)`; adduser and addalias know `--create-domain`"
  case .noDomain: "see `mailcfg lsdom`"
  case .noUser: "see `mailcfg lsuser`"
  case .noAlias, .noAliasNumber: "see `mailcfg lsalias`"
  case .aliasLoop: "let one of them lead to a user; see `mailcfg lsalias`"
  case .noPassword: "give it a password in the import, or add it with `mailcfg adduser` first"
  case .name, .invalid, .database: nil
  }
}

private func hint(_ problem: DatabaseProblem, _ path: String) -> String {
  switch problem {
  case .missing:
    "restore it from a backup; for a new one: `mailcfg adddom DOMAIN`"
  case .noDirectory(let directory): "make it with `install -d \(directory)`, or correct `database` in [verify]"
  case .notADatabase: "is it the right file? look with `file \(path)`; restore it from a backup"
  case .damaged: "restore a backup, or save what can be read: `sqlite3 \(path) .recover > accounts.sql`"
  case .foreignSchema: "is it the right file? `sqlite3 \(path) .schema` shows what it has"
  case .newerSchema: "update this package"
  case .journalModeWAL: "`sqlite3 \(path) 'PRAGMA journal_mode=DELETE'` while nobody uses it"
  case .busy: "see who uses it: `fuser -v \(path)`"
  case .readOnly:
    geteuid() == 0 ? "is its file system mounted read only? see `findmnt -T \(path)`" : "try `sudo mailcfg …`"
  case .notPermitted: "try `sudo mailcfg …`; members of its group (vmail) may read it"
  case .full: "make room: `df -h \(path)`"
  case .noOwner(_, let group):
    "make the group, as dovecot's, or name another as `owner` in [accounts] of mailboot.toml (now: \(group))"
  case .interruptedChange: "root's next `mailcfg` undoes it: `sudo mailcfg lsdom`"
  case .symbolicLink: "name the file itself"
  case .other: "see `ls -l \(path)`"
  }
}
