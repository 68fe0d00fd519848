import ArgumentParser
import MailAccounts
import MailbootCore

struct ChangePassword: ChangingVerb {
  static let configuration = CommandConfiguration(commandName: "passwd", abstract: "Change a password; asks for it.")

  @Argument(completion: .users) var email: String
  @OptionGroup var new: NewPasswordOptions
  @OptionGroup var options: ChangeOptions
  @OptionGroup var database: DatabaseOptions

  func perform(_ output: Output) throws(Failure) -> ExitCode {
    var host = Host(database)
    let source = try PasswordSource(new, dryRun: options.dryRun)
    let accounts = try host.database(.change, dryRun: options.dryRun)
    let user = try withAccountErrors { () throws(AccountError) in try accounts.storedPassword(of: email).user }
    let password = try source.password(for: user.email)
    let hash = try password.hash(new.scheme.scheme, &host)
    let changes = try perform(.setPassword(user.email, hash), on: accounts, output, says: nil)
    if !options.dryRun, let changes, !changes.isEmpty {
      try password.showIfGenerated()
      output.line("password updated")
    }
    return .done
  }
}

struct Disable: ChangingVerb {
  static let configuration = CommandConfiguration(
    commandName: "disable", abstract: "Let a user neither log in nor receive mail.")

  @Argument(completion: .users) var email: String
  @OptionGroup var options: ChangeOptions
  @OptionGroup var database: DatabaseOptions

  func perform(_ output: Output) throws(Failure) -> ExitCode {
    var host = Host(database)
    let accounts = try host.database(.change, dryRun: options.dryRun)
    try perform(.setActive(email, false), on: accounts, output, says: "disabled user")
    return .done
  }
}

struct Enable: ChangingVerb {
  static let configuration = CommandConfiguration(
    commandName: "enable", abstract: "Let a disabled user log in and receive mail again.")

  @Argument(completion: .users) var email: String
  @OptionGroup var options: ChangeOptions
  @OptionGroup var database: DatabaseOptions

  func perform(_ output: Output) throws(Failure) -> ExitCode {
    var host = Host(database)
    let accounts = try host.database(.change, dryRun: options.dryRun)
    try perform(.setActive(email, true), on: accounts, output, says: "enabled user")
    return .done
  }
}

struct SetLimits: ChangingVerb {
  static let configuration = CommandConfiguration(
    commandName: "set", abstract: "Change what a user may do, and the quota.")

  @Argument(completion: .users) var email: String
  @OptionGroup var limits: LimitsOptions
  @OptionGroup var options: ChangeOptions
  @OptionGroup var database: DatabaseOptions

  func perform(_ output: Output) throws(Failure) -> ExitCode {
    var host = Host(database)
    guard limits.change != LimitsChange() else {
      throw .usage(
        "nothing is to be set",
        hint: "\(call: "set", "EMAIL") with --send-only, --receive-only, --normal or --quota SIZE")
    }
    let accounts = try host.database(.change, dryRun: options.dryRun)
    try perform(.setLimits(email, limits.change), on: accounts, output, says: "changed user")
    return .done
  }
}
