import ArgumentParser
import Glibc
import JSON
import MailAccounts
import MailbootCore
import Text

struct CheckAccounts: Verb {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Look for mistakes in the database; exit code 1 when there are any, 2 when it could not look.")

  @Option(help: "How the findings are printed.")
  var format: ListFormat?
  @OptionGroup var database: DatabaseOptions

  /// Unlike "something was found": a monitor has to tell them apart.
  var failureStatus: Int32 { 2 }

  /// Every finding, with what to do about it.
  func perform(_ output: Output) throws(Failure) -> ExitCode {
    var host = Host(database)
    let list = RowList(["severity", "kind", "subject", "message", "hint"], format ?? .text, output)
    let accounts = try host.database(.read)
    let findings = try withAccountErrors { () throws(AccountError) in try accounts.check() }
    for finding in findings {
      let hint = finding.hint?.text(options: database.words, bare: true)
      list.add(
        [
          .string(finding.severity.rawValue), .string(finding.kind), .string(finding.subject),
          .string(finding.message), .optional(hint),
        ], shown: []
      ) { output in
        output.addVisible("\(finding.severity.rawValue): \(finding.kind): \(finding.subject): \(finding.message)")
        guard let hint else { return }
        output.endLine()
        output.addVisible("  hint: \(hint)")
      }
    }
    list.end([])
    if findings.isEmpty && format == nil { output.line("nothing was found") }
    return findings.isEmpty ? .done : .failure
  }
}

struct VerifyPassword: Verb {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Is this the password? Exit code 1 when it is not, or when the user is disabled.")

  @Argument(completion: .users) var email: String
  @Flag(help: "Read it from standard input; one newline at its end is dropped.")
  var stdin = false
  @OptionGroup var database: DatabaseOptions

  func perform(_ output: Output) throws(Failure) -> ExitCode {
    var host = Host(database)
    let accounts = try host.database(.read)
    let (user, stored) = try withAccountErrors { () throws(AccountError) in try accounts.storedPassword(of: email) }
    keepOutOfDumps()
    guard stdin || isatty(0) == 1 else {
      throw .usage("there is no terminal to ask for the password", hint: "use --stdin")
    }
    let hash = StoredHash(stored)
    let isRight: Bool?
    do {
      if stdin {
        isRight = try hash.matches(try readPassword())
      } else {
        isRight = try hash.matches(try ask("Password of \(visibleInLine(user.email)): "))
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
        hint:
          "ask dovecot: \(command: "doveadm", "auth", "test", user.email), or set another one with \(call: "passwd", user.email)"
      )
    }
    guard isRight else { throw .failed("this is not the password of \(user.email)", hint: nil) }
    guard user.isActive else {
      throw .failed("this is the password of \(user.email), who is disabled", hint: "\(call: "enable", user.email)")
    }
    output.line("the password is right")
    return .done
  }
}

struct BackUp: Verb {
  static let configuration = CommandConfiguration(
    commandName: "backup", abstract: "Copy the database into a new file while it is used.")

  @Argument(completion: .file()) var file: String
  @OptionGroup var database: DatabaseOptions

  func perform(_ output: Output) throws(Failure) -> ExitCode {
    var host = Host(database)
    let accounts = try host.database(.read)
    try withAccountErrors { () throws(AccountError) in try accounts.backUp(to: file) }
    output.line("database backed up")
    return .done
  }
}
