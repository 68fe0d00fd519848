import Console
import Glibc
import Linux
import MailAccounts
import MailbootCore
import Text

/// Shows a failure and what to do about it.
/// - Parameter database: of the call, where it could be understood: calls in hints are for the same.
/// - Returns: the exit code.
func complain(_ failure: Failure, _ database: DatabaseOptions?) -> ExitCode {
  if let summary = summary(failure) {
    show("error:", .red, summary)
    if let hint = hint(failure) { advise(hint.text(options: database?.words ?? [])) }
  }
  return exitCode(failure)
}

/// Something that is worth a look. Nothing failed.
func warn(_ text: String) { show("warning:", .yellow, visibleInLine(text)) }

/// The same, found in the database of the call.
func warn(_ advice: Advice, _ database: DatabaseOptions) { warn(advice.text(options: database.words)) }

/// What to do about the error or warning before.
func advise(_ text: String) { show("hint:", .bold, visibleInLine(text)) }

private func show(_ label: String, _ colour: Terminal.Colour, _ text: String) {
  let terminal = Terminal()
  let line = terminal.wrapped("\(label) " + text, indent: 2)
  tell(terminal.coloured(label, colour) + line.dropFirst(label.count))
}

/// Nil: nothing has to be said any more.
private func summary(_ failure: Failure) -> String? {
  switch failure {
  // Of several lines, with every name in them quoted; or in the words of ArgumentParser.
  case .accounts(.refusedRows(let rows, let count)):
    visible(AccountError.refusedRows(rows, count: count).description)
  case .usage(let text, _): visible(text)
  case .failed(let text, _): visibleInLine(text)
  case .accounts(.interrupted): nil
  case .accounts(let error): visibleInLine(error.description)
  case .notMounted(let path): visibleInLine("\(path) is not mounted")
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
  case .accounts(.interrupted): .interrupted
  case .accounts, .failed, .notMounted, .output: .failure
  case .configuration: .configuration
  case .interrupted: .interrupted
  }
}

/// What to do: the one place where every error meets its remedy.
private func hint(_ failure: Failure) -> Advice? {
  switch failure {
  case .usage(_, let hint), .failed(_, let hint): hint
  case .accounts(.database(let problem, let path)): hint(problem, path)
  case .accounts(let error): hint(error)
  case .notMounted: "unlock it first: `mailboot`; with `--db FILE` mailcfg asks for no mount"
  case .configuration, .interrupted: nil
  case .output: "see `df -h`; what has been changed in the database stays changed"
  }
}

private func hint(_ error: AccountError) -> Advice? {
  switch error {
  case .unknownDomain(let domain, _):
    "is it a typing mistake? if it is not: \(call: "adddom", domain.text); adduser, addalias and import know `--create-domain`"
  case .noDomain: "see \(call: "lsdom")"
  case .noUser: "see \(call: "lsuser")"
  case .noAlias, .noAliasNumber: "see \(call: "lsalias")"
  case .aliasLoop: "let one of them lead to a user; see \(call: "lsalias")"
  case .refusedRows:
    "give new users a password in the import; `--create-domain` adds domains; nothing was changed, \(call: "check") shows what is there"
  case .prunesAll: "is it the right file? `--yes` says that it is meant"
  case .name, .invalid, .database, .interrupted: nil
  }
}

private func hint(_ problem: DatabaseProblem, _ path: String) -> Advice {
  switch problem {
  case .missing:
    "restore it from a backup; for a new one: \(call: "adddom", "DOMAIN")"
  case .noDirectory(let directory):
    "make it with \(command: "install", "-d", directory), or correct `database` in [verify]"
  case .notADatabase: "is it the right file? look with \(command: "file", path); restore it from a backup"
  case .damaged: "restore a backup, or save what can be read into a file: \(command: "sqlite3", path, ".recover")"
  case .foreignSchema: "is it the right file? \(command: "sqlite3", path, ".schema") shows what it has"
  case .newerSchema: "update this package"
  case .journalModeWAL: "\(command: "sqlite3", path, "PRAGMA journal_mode=DELETE") while nobody uses it"
  case .busy: "see who uses it: \(command: "fuser", "-v", path)"
  case .readOnly:
    geteuid() == 0
      ? "is its file system mounted read only? see \(command: "findmnt", "-T", path)" : "try `sudo mailcfg …`"
  case .notPermitted: "try `sudo mailcfg …`; members of its group (vmail) may read it"
  case .full: "make room: \(command: "df", "-h", path)"
  case .noOwner(_, let group):
    "make the group, as dovecot's, or name another as `owner` in [accounts] of mailboot.toml (now: \(group))"
  case .interruptedChange: "root's next call of `mailcfg` undoes it: \(call: "lsdom")"
  case .foreignJournal: "if it is yours, move \(path) and \(path)-journal into a directory of your own"
  case .symbolicLink: "name the file itself"
  case .other: "see \(command: "ls", "-l", path)"
  }
}
