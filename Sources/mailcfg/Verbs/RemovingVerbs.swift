import ArgumentParser
import Console
import Linux
import MailAccounts
import MailbootCore
import Text

struct RemovalOptions: ParsableArguments {
  @Flag(help: "Do not ask.")
  var yes = false
  @Flag(help: "Move the mail aside as well; nothing is deleted.")
  var purgeMail = false
}

struct RemoveDomain: ChangingVerb {
  static let configuration = CommandConfiguration(
    commandName: "rmdom", abstract: "Remove a domain with its users and aliases; their mail stays.")

  @Argument(completion: .domains) var domain: String
  @OptionGroup var removal: RemovalOptions
  @OptionGroup var options: ChangeOptions
  @OptionGroup var database: DatabaseOptions

  func perform(_ output: Output) throws(Failure) -> ExitCode {
    try remove(.removeDomain(domain), removal, output, says: "deleted domain")
  }
}

struct RemoveUser: ChangingVerb {
  static let configuration = CommandConfiguration(
    commandName: "rmuser", abstract: "Remove a user; the mail stays.")

  @Argument(completion: .users) var email: String
  @OptionGroup var removal: RemovalOptions
  @OptionGroup var options: ChangeOptions
  @OptionGroup var database: DatabaseOptions

  func perform(_ output: Output) throws(Failure) -> ExitCode {
    try remove(.removeUser(email), removal, output, says: "deleted user")
  }
}

struct RemoveAlias: ChangingVerb {
  static let configuration = CommandConfiguration(
    commandName: "rmalias", abstract: "Remove an alias with all its destinations, or one of them by its number.")

  @Argument(completion: .aliasSources) var source: String?
  @Option(
    name: [.customLong("id", withSingleDash: true), .customLong("id")],
    help: ArgumentHelp("The alias with this number, as `lsalias` shows it.", valueName: "n"))
  var id: Int64?
  @OptionGroup var options: ChangeOptions
  @OptionGroup var database: DatabaseOptions

  func perform(_ output: Output) throws(Failure) -> ExitCode {
    let request: Request
    switch (source, id) {
    case (let source?, nil): request = .removeAlias(source)
    case (nil, let number?): request = .removeAliasNumber(number)
    default: throw .usage("either an alias's address or its number", hint: "`mailcfg rmalias SOURCE` or `-id N`")
    }
    var host = Host(database)
    try perform(request, on: try host.database(.change, dryRun: options.dryRun), output, says: "deleted alias")
    return .done
  }
}

extension ChangingVerb {
  /// Says what goes with it, asks at a terminal, removes.
  fileprivate func remove(
    _ request: Request, _ removal: RemovalOptions, _ output: Output, says line: String
  ) throws(Failure) -> ExitCode {
    var host = Host(database)
    let accounts = try host.database(.change, dryRun: options.dryRun)
    let planned = try withAccountErrors { () throws(AccountError) in try accounts.perform(request, dryRun: true) }
    let directories = removal.purgeMail ? try host.directories() : nil
    if !options.dryRun {
      tellCompanions(planned.changes)
      guard try isAgreed(planned.changes, yes: removal.yes) else { return .failure }
    }
    let changes = try perform(request, on: accounts, output, says: line)
    if let directories, !options.dryRun { try setAsideMail(of: changes, directories) }
    return .done
  }
}

/// Asks where there is a terminal. Elsewhere the call is the answer: the scripts of the old program say nothing more.
func isAgreed(_ changes: [Change], yes: Bool) throws(Failure) -> Bool {
  guard !yes, let last = changes.last(where: \.isRemoval) else { return true }
  let count = changes.count(where: \.isRemoval)
  let what = count > 1 ? "Remove all \(count)?" : "Remove it (\(visible(last.line.dropFirst(2).description)))?"
  guard try confirm(what) == false else { return true }
  tell("nothing was removed")
  return false
}

/// What goes besides the domain or user itself, which comes last.
private func tellCompanions(_ changes: [Change]) {
  let companions = changes.filter(\.isRemoval).dropLast()
  guard !companions.isEmpty else { return }
  tell("with it \(companions.count == 1 ? "goes" : "go"):")
  let shown = 20
  for change in companions.prefix(shown) { tell("  " + visible(change.line)) }
  if companions.count > shown { tell("  and \(companions.count - shown) more") }
}

/// Moves the mail aside of what has been removed.
private func setAsideMail(of changes: [Change], _ directories: MailDirectories) throws(Failure) {
  let time = compactTime()
  let place = try withAccountErrors { () throws(AccountError) -> String? in
    switch changes.last {
    case .removeDomain(let domain): try directories.setAside(domain: domain.name, time: time)
    case .removeUser(let user): try directories.setAside(email: user.email, time: time)
    default: nil
    }
  }
  tell(place.map { "the mail is now in \(visible($0))" } ?? "there was no mail")
}

/// Now, in UTC, as a file's name: `20261122T150000Z`.
private func compactTime() -> String { timestamp(wallSeconds()).filter { $0 != "-" && $0 != ":" } }

extension Change {
  var isRemoval: Bool {
    switch self {
    case .removeDomain, .removeUser, .removeAlias: true
    default: false
    }
  }
}
