import ArgumentParser
import Console
import JSON
import Linux
import MailHost
import Text

/// What waits in postfix's queue. It has verbs of its own.
struct QueueVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "queue", abstract: "What mail waits, why and since when; try it now, hold it, delete it.",
    discussion: "`mailhost queue` is `mailhost queue show`.",
    subcommands: [QueueShow.self, QueueFlush.self, QueueHold.self, QueueRelease.self, QueueDelete.self],
    defaultSubcommand: QueueShow.self)
}

struct QueueShow: Verb {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "What waits, by destination and reason.",
    discussion: """
      Answers of servers that differ only in addresses, hosts or names of sessions are one reason; that of the oldest mail is shown, \
      in JSON whole. With --long JSON has a line for each mail.
      """)

  @OptionGroup var host: HostOptions

  @Option(help: "text or json.")
  var format = OutputFormat.text

  @Flag(help: "Each mail by itself, with its recipients.")
  var long = false

  func perform(_ terminal: Terminal) throws(HostFailure) -> Status {
    let queue = try PostfixQueue(host)
    let text = QueueText(columns: max(40, (Terminal(descriptor: 1).width ?? 80) - 1), now: wallSeconds())
    var summary = QueueSummary()
    if long {
      var count = 0
      let unread = try queue.read { mail in
        count += 1
        switch format {
        case .json: say(mail.json().line())
        case .text: for line in text.lines(mail) { say(line) }
        }
      }
      if count == 0, unread == 0, format == .text { say("nothing waits") }
      if unread > 0 { tell("warning: \(unread) more of postqueue's lines cannot be understood") }
      return 0
    }
    summary.unread = try queue.read { summary.add($0) }
    switch format {
    case .json: say(summary.json().rendered())
    case .text: for line in text.lines(summary) { say(line) }
    }
    return 0
  }
}

struct QueueFlush: Verb {
  static let configuration = CommandConfiguration(
    commandName: "flush", abstract: "Let postfix try to deliver what waits, now.",
    discussion: "Mail on hold stays.")

  /// A process of postfix's for each mail.
  private static let mostSingly = 1000

  @OptionGroup var host: HostOptions

  @Argument(help: "Only mail for this domain, or the mail with this queue id.")
  var destination: String?

  func perform(_ terminal: Terminal) throws(HostFailure) -> Status {
    let queue = try PostfixQueue(host)
    guard let destination else {
      try queue.flush()
      say("postfix tries all that waits")
      return 0
    }
    let site = destination.lowercased()
    let isName = site.first?.isLetter == true || site.first?.isNumber == true
    guard isName, site.utf8.count <= 255, site.unicodeScalars.allSatisfy({ $0.isHarmless && $0 != " " }) else {
      throw HostFailure(.usage, "\(visibleInLine(destination)) is no domain and no queue id")
    }
    var ids: [String] = []
    var total = 0
    _ = try queue.read { mail in
      guard mail.place != .hold,
        mail.id == destination || mail.recipients.contains(where: { $0.destination == site })
      else { return }
      total += 1
      if ids.count < Self.mostSingly { ids.append(mail.id) }
    }
    guard total > 0 else {
      say("nothing waits for \(visibleInLine(destination))")
      return 0
    }
    // Postfix keeps lists for few destinations; by its list it is one call.
    if total > 1, try queue.flush(site: site) {
      say("postfix tries all for \(site)")
      return 0
    }
    for id in ids { try queue.flush(id: id) }
    say("postfix tries \(ids.count) \(ids.count == 1 ? "mail" : "mails") for \(visibleInLine(destination))")
    if total > ids.count { tell("note: \(total - ids.count) more wait for it; `mailhost queue flush` tries all mail") }
    return 0
  }
}
