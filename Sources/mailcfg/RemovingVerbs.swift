import Console
import Glibc
import MailAccounts
import MailbootCore
import Text

/// `rmdom` and `rmuser`: says what goes with it, asks at a terminal, removes.
func remove(_ arguments: Arguments, _ output: Output) throws(Failure) -> Int32 {
  var host = Host(arguments)
  let typed = arguments.words[0]
  let isDomain = arguments.verb == .rmdom
  let request = isDomain ? Request.removeDomain(typed) : .removeUser(typed)
  let database = try host.database(.change)
  let planned = try accounts { () throws(AccountError) in try database.perform(request, dryRun: true) }
  let directories = arguments.has(.purgeMail) ? try host.directories() : nil
  if !arguments.has(.dryRun) {
    tellCompanions(planned.changes)
    guard try isAgreed(planned.changes, arguments) else { return ExitCode.failed }
  }
  let changes = try perform(
    request, on: database, arguments, output, says: isDomain ? "deleted domain" : "deleted user")
  if let directories, !arguments.has(.dryRun) { try setAsideMail(of: changes, directories) }
  return ExitCode.done
}

/// Asks where there is a terminal. Elsewhere the call is the answer: the scripts of the old program say nothing more.
func isAgreed(_ changes: [Change], _ arguments: Arguments) throws(Failure) -> Bool {
  guard !arguments.has(.yes), let last = changes.last(where: \.isRemoval) else { return true }
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
  guard let last = changes.last else { return }
  var place: String?
  switch last {
  case .removeDomain(let domain):
    place = try accounts { () throws(AccountError) in try directories.setAside(domain: domain.name, time: time) }
  case .removeUser(let user):
    place = try accounts { () throws(AccountError) in try directories.setAside(email: user.email, time: time) }
  default: return
  }
  tell(place.map { "the mail is now in \(visible($0))" } ?? "there was no mail")
}

/// Now, in UTC, as a file's name: `20261122T150000Z`.
private func compactTime() -> String {
  timestamp(Double(time(nil))).filter { $0 != "-" && $0 != ":" }
}

extension Change {
  var isRemoval: Bool {
    switch self {
    case .removeDomain, .removeUser, .removeAlias: true
    default: false
    }
  }
}
