import ArgumentParser
import Console
import Glibc
import Linux
import MailHost

/// Which mails are meant, and whether anybody is asked.
struct QueueSelectionOptions: ParsableArguments {
  @Argument(help: ArgumentHelp("A mail's name in the queue, as `mailhost queue --long` shows it.", valueName: "id"))
  var ids: [String] = []

  @Flag(help: "All mail that was tried, and put off.")
  var deferred = false

  @Flag(help: "All mail.")
  var all = false

  @Flag(help: "Do not ask.")
  var yes = false
}

struct QueueHold: QueueChangingVerb {
  static let configuration = CommandConfiguration(
    commandName: "hold", abstract: "Leave mail in the queue without trying it, until it is released.")
  static let action = QueueAction.hold

  @OptionGroup var selection: QueueSelectionOptions
  @OptionGroup var host: HostOptions
}

struct QueueRelease: QueueChangingVerb {
  static let configuration = CommandConfiguration(
    commandName: "release", abstract: "Let mail on hold be tried again.")
  static let action = QueueAction.release

  @OptionGroup var selection: QueueSelectionOptions
  @OptionGroup var host: HostOptions
}

struct QueueDelete: QueueChangingVerb {
  static let configuration = CommandConfiguration(
    commandName: "delete", abstract: "Delete mail from the queue; its senders are not told.")
  static let action = QueueAction.delete

  @OptionGroup var selection: QueueSelectionOptions
  @OptionGroup var host: HostOptions
}

/// Names the mails, asks, and changes exactly those: what has come meanwhile is left alone.
protocol QueueChangingVerb: Verb {
  static var action: QueueAction { get }
  var selection: QueueSelectionOptions { get }
  var host: HostOptions { get }
}

extension QueueChangingVerb {
  func perform(_ terminal: Terminal) throws(HostFailure) -> Status {
    let wanted = try wanted()
    guard selection.yes || isatty(0) == 1 else {
      throw HostFailure(
        .usage, "there is no terminal to ask at whether to \(Self.action.rawValue) it",
        hint: "`--yes` says it beforehand")
    }
    try requireRoot("queue \(Self.action.rawValue)")
    let queue = try PostfixQueue(host)
    let found = try found(wanted, in: queue)
    guard !found.ids.isEmpty else {
      say("there is nothing to \(Self.action.rawValue)")
      return 0
    }
    for line in found.lines { tell(line) }
    if found.ids.count > found.lines.count { tell("  and \(found.ids.count - found.lines.count) more") }
    if !selection.yes, try !isAgreed(found.ids.count) {
      tell("nothing was changed")
      return HostFailure.Kind.failed.rawValue
    }
    let count = try queue.change(Self.action, found.ids, onlyDeferred: wanted == .deferred)
    say("\(count) \(count == 1 ? "mail" : "mails") \(Self.action.past)")
    if count < found.ids.count { tell("note: \(found.ids.count - count) had left the queue meanwhile") }
    return 0
  }

  private func wanted() throws(HostFailure) -> QueueAction.Selection {
    let verb = "mailhost queue \(Self.action.rawValue)"
    let choices = [!selection.ids.isEmpty, selection.deferred, selection.all].count { $0 }
    guard choices == 1 else {
      throw HostFailure(
        .usage, choices == 0 ? "which mail?" : "either mails by their names, or --deferred, or --all",
        hint: "`\(verb) ID`, `\(verb) --deferred` or `\(verb) --all`")
    }
    if selection.deferred, Self.action == .release {
      throw HostFailure(.usage, "what is on hold is not deferred", hint: "`\(verb) --all` releases all that is on hold")
    }
    if selection.all { return .all }
    if selection.deferred { return .deferred }
    // Else `ALL` would be all mail for postsuper.
    if let wrong = selection.ids.first(where: { !QueuedMail.isID($0) || $0 == "ALL" }) {
      throw HostFailure(.usage, "\(wrong) is no queue id", hint: "`mailhost queue --long` shows them")
    }
    return .ids(Set(selection.ids))
  }

  /// The names of all of them, and lines of the first.
  private func found(
    _ wanted: QueueAction.Selection, in queue: PostfixQueue
  ) throws(HostFailure) -> (ids: [String], lines: [String]) {
    let shown = 20
    let text = QueueText(columns: max(40, (Terminal().width ?? 80) - 1), now: wallSeconds())
    var ids: [String] = []
    var lines: [String] = []
    let unread = try queue.read { (mail) throws(HostFailure) in
      guard Self.action.takes(mail, wanted) else { return }
      if case .ids = wanted, let why = Self.action.refusal(of: mail) { throw HostFailure(.failed, why) }
      ids.append(mail.id)
      if lines.count < shown { lines.append(text.line(mail)) }
    }
    if case .ids(let names) = wanted {
      let missing = names.subtracting(ids).sorted()
      guard missing.isEmpty else {
        throw HostFailure(
          .failed, "not in the queue: \(missing.joined(separator: ", "))", hint: "`mailhost queue --long` shows what is"
        )
      }
    }
    if unread > 0 { tell("warning: \(unread) more of postqueue's lines cannot be understood, and are left alone") }
    return (ids, lines)
  }

  private func isAgreed(_ count: Int) throws(HostFailure) -> Bool {
    let word = Self.action.rawValue
    let verb = word.prefix(1).uppercased() + word.dropFirst()
    let question = "\(verb) \(count == 1 ? "this mail" : "these \(count) mails")?"
    switch confirmation(of: question) {
    case .yes: return true
    case .no: return false
    case .nobodyThere, .noTerminal:
      throw HostFailure(.usage, "there is no /dev/tty to ask at", hint: "`--yes` says it beforehand")
    case .interrupted: throw HostFailure(.interrupted, "interrupted, and nothing was changed")
    }
  }
}
