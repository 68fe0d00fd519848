import ArgumentParser
import MailbootCore

/// Ours, not ArgumentParser's.
typealias ExitCode = MailbootCore.ExitCode

/// A verb of `mailcfg`.
protocol Verb: ParsableCommand {
  var database: DatabaseOptions { get }
  func perform(_ output: Output) throws(Failure) -> ExitCode
  /// The exit status of a failure that has none of its own.
  var failureStatus: Int32 { get }
}

extension Verb {
  var failureStatus: Int32 { ExitCode.failure.rawValue }
}

struct Mailcfg: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "mailcfg",
    abstract: "The mail host's domains, users and aliases.",
    discussion: """
      Options may stand before or after the verb; after -- nothing is taken for an option. Passwords are asked for. \
      All of it: `man mailcfg`.

      Exit codes: 0 done, 1 failed (of `check`: something was found), 2 `check` could not look, 64 usage, 77 not \
      permitted, 78 configuration, 130 interrupted.
      """,
    version: "mailcfg \(Version.text)",
    // The first twelve are those of the script that it replaces.
    subcommands: [
      AddAlias.self, AddDomain.self, AddUser.self, ListAliases.self, ListDomains.self, ListUsers.self,
      RemoveAlias.self, RemoveDomain.self, RemoveUser.self, ChangePassword.self, Disable.self, Enable.self,
      SetLimits.self, ImportAccounts.self, ExportAccounts.self, CheckAccounts.self, VerifyPassword.self, BackUp.self,
      ListSchemes.self,
    ])

  /// Every verb's own are these: ArgumentParser takes them wherever they stand.
  @OptionGroup var database: DatabaseOptions

  func run() throws { throw ValidationError("a verb is missing") }

  /// Those whose next word is their value.
  static let optionsWithValue: Set = [
    "--config", "--db", "--domain", "--format", "--generate-completion-script", "--id", "-id", "--quota", "--scheme",
    "--search",
  ]
}
