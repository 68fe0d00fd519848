import Glibc
import MailAccounts
import MailbootCore
import Text

/// `check`: every finding, with what to do about it.
func checkAccounts(_ arguments: Arguments, _ output: Output) throws(Failure) -> Int32 {
  var host = Host(arguments)
  let list = try RowList(["severity", "kind", "subject", "message", "hint"], arguments, output, isTable: false)
  let database = try host.database(.read)
  let findings = try accounts { () throws(AccountError) in try database.check() }
  for finding in findings {
    list.add(
      [
        .text(finding.severity.rawValue), .text(finding.kind), .text(finding.subject), .text(finding.message),
        finding.hint.map(Cell.text) ?? .none,
      ], shown: []
    ) { output in
      output.addVisible("\(finding.severity.rawValue): \(finding.kind): \(finding.subject): \(finding.message)")
      if let hint = finding.hint { output.addVisible("\n  hint: \(hint)") }
    }
  }
  list.end([])
  if findings.isEmpty && !arguments.has(.format) { output.line("nothing was found") }
  return findings.isEmpty ? ExitCode.done : ExitCode.failed
}

/// `verify EMAIL`: whether this is the password, and whether the user may log in with it.
func verifyPassword(_ arguments: Arguments, _ output: Output) throws(Failure) -> Int32 {
  var host = Host(arguments)
  let database = try host.database(.read)
  let typed = arguments.words[0]
  let (user, stored) = try accounts { () throws(AccountError) in try database.storedPassword(of: typed) }
  keepOutOfDumps()
  guard arguments.has(.stdin) || isatty(0) == 1 else {
    throw .usage("there is no terminal to ask for the password", hint: "use --stdin")
  }
  let hash = StoredHash(stored)
  let isRight: Bool?
  do {
    if arguments.has(.stdin) {
      isRight = try hash.matches(try readPassword())
    } else {
      isRight = try hash.matches(try ask("Password of \(visible(user.email)): "))
    }
  } catch let failure as Failure {
    throw failure
  } catch {
    throw .failed("\(error)", hint: nil)
  }
  guard let isRight else {
    throw .failed(
      "the password of \(user.email) cannot be checked: "
        + (hash.scheme.map { "mailcfg does not know \($0)" } ?? "what is stored is no hash that dovecot reads"),
      hint: "ask dovecot: `doveadm auth test \(user.email)`, or set another one with `mailcfg passwd \(user.email)`")
  }
  guard isRight else { throw .failed("this is not the password of \(user.email)", hint: nil) }
  guard user.isActive else {
    throw .failed("this is the password of \(user.email), who is disabled", hint: "`mailcfg enable \(user.email)`")
  }
  output.line("the password is right")
  return ExitCode.done
}

/// `backup FILE`
func backUp(_ arguments: Arguments, _ output: Output) throws(Failure) {
  var host = Host(arguments)
  let database = try host.database(.read)
  try accounts { () throws(AccountError) in try database.backUp(to: arguments.words[0]) }
  output.line("database backed up")
}
