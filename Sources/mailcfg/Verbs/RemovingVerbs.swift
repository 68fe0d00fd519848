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
    default: throw .usage("either an alias's address or its number", hint: "\(call: "rmalias", "SOURCE") or `-id N`")
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
    let directories = removal.purgeMail ? try host.directories() : nil
    var asked = false
    let changes: [Change]?
    do throws(Failure) {
      changes = try perform(request, on: accounts, output, says: line) { (outcome) throws(Failure) in
        if asked { tell("it has become something else meanwhile") }
        asked = true
        tellCompanions(outcome.changes)
        return try isAgreed(outcome.changes, yes: removal.yes)
      }
    } catch {
      // A call that was interrupted behind the database can be repeated.
      if let directories, !options.dryRun, try setAsideLeftMail(error, directories) { return .done }
      throw error
    }
    guard let changes else { return .failure }
    if let directories, !options.dryRun { try setAsideMail(of: changes, directories) }
    return .done
  }
}

/// Asks where there is a terminal. Elsewhere the call is the answer: the scripts of the old program say nothing more.
private func isAgreed(_ changes: [Change], yes: Bool) throws(Failure) -> Bool {
  let removals = changes.filter { $0.effect == .removal }
  guard !yes, let last = removals.last else { return true }
  let what =
    removals.count > 1
    ? "Remove all \(removals.count)?" : "Remove it (\(visibleInLine(String(last.line.dropFirst(2)))))?"
  return try isAgreed(what)
}

/// False, and says so, when somebody who could be asked says no.
func isAgreed(_ question: String) throws(Failure) -> Bool {
  guard try confirm(question) == false else { return true }
  tell("nothing was removed")
  return false
}

/// What goes besides the domain or user itself, which comes last.
private func tellCompanions(_ changes: [Change]) {
  let companions = changes.filter { $0.effect == .removal }.dropLast()
  guard !companions.isEmpty else { return }
  tell("with it \(companions.count == 1 ? "goes" : "go"):")
  tell(companions, of: companions.count)
}

/// The first of some changes, a line each.
func tell(_ changes: some Collection<Change>, of count: Int) {
  let shown = 20
  for change in changes.prefix(shown) { tell("  " + visibleInLine(change.line)) }
  if count > shown { tell("  and \(count - shown) more") }
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
  tell(place.map { "the mail is now in \(visibleInLine($0))" } ?? "there was no mail")
}

/// Moves the mail aside of somebody who is not there any more.
/// - Returns: whether there was some.
private func setAsideLeftMail(_ failure: Failure, _ directories: MailDirectories) throws(Failure) -> Bool {
  let time = compactTime()
  let place = try withAccountErrors { () throws(AccountError) -> String? in
    switch failure {
    case .accounts(.noUser(let email)): try directories.setAside(email: email, time: time)
    case .accounts(.noDomain(let domain)): try directories.setAside(domain: domain, time: time)
    default: nil
    }
  }
  guard let place else { return false }
  tell("it was removed before; the mail is now in \(visibleInLine(place))")
  return true
}

/// Now, in UTC, as a file's name: `20261122T150000Z`.
private func compactTime() -> String { timestamp(wallSeconds()).filter { $0 != "-" && $0 != ":" } }
