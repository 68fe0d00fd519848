import ArgumentParser
import Console
import JSON
import Linux
import MailHost
import Text

/// How much accounts send, and may send.
struct LimitsVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "limits", abstract: "What each account has sent in 24 hours, and may send; let one go on.",
    discussion: "`mailhost limits` is `mailhost limits show`. The limits are in [limits] of mailhost.toml.",
    subcommands: [LimitsShow.self, LimitsClear.self, LimitsTell.self], defaultSubcommand: LimitsShow.self)
}

private struct LimitsWork {
  let work: HostWork
  let store: SendingStore
  let now = wallSeconds()

  init(_ options: HostOptions, _ verb: String) throws(HostFailure) {
    guard options.prefix.isEmpty else {
      throw HostFailure(.usage, "--root: only what is counted here can be looked into")
    }
    try requireRoot("limits \(verb)")
    work = try HostWork(options)
    store = try SendingStore(work.settings, redisName: work.facts.versions.redisName)
  }

  /// A login as it is counted.
  static func user(_ text: String) throws(HostFailure) -> String {
    guard text.contains("@"), text.utf8.count <= 254, text.unicodeScalars.allSatisfy({ $0.isHarmless && $0 != " " })
    else {
      throw HostFailure(
        .usage, "\(visibleInLine(text)) is no login", hint: "it is an address, such as alice@example.org")
    }
    return text.lowercased()
  }
}

struct LimitsShow: Verb {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "What accounts have sent in the last 24 hours, and what was put off.",
    discussion: "Whoever has sent nothing is not listed.")

  @OptionGroup var host: HostOptions

  @Argument(help: "A login; all without any.")
  var user: String?

  @Option(help: "text or json.")
  var format = OutputFormat.text

  func perform(_ terminal: Terminal) throws(HostFailure) -> Status {
    let work = try LimitsWork(host, "show")
    var name: String?
    if let user { name = try LimitsWork.user(user) }
    let settings = work.work.settings
    var counts = try work.store.counts(of: name, now: work.now).filter { name != nil || !$0.isEmpty }
    if let name, counts.isEmpty { counts = [SendingCounts(user: name)] }
    switch format {
    case .json:
      say(
        JSONText.object([
          ("schema", .integer(1)), ("users", .array(counts.map { $0.json(settings.limits(of: $0.user)) })),
        ]).rendered())
    case .text:
      if counts.isEmpty { say("nobody has sent anything in the last 24 hours") }
      let text = SendingText(columns: max(40, (Terminal(descriptor: 1).width ?? 80) - 1), now: work.now)
      for one in counts { for line in text.lines(one, settings.limits(of: one.user)) { say(line) } }
    }
    return 0
  }
}

struct LimitsClear: Verb {
  static let configuration = CommandConfiguration(
    commandName: "clear", abstract: "Let an account send again now, as if it had sent nothing today.",
    discussion: "Whom it has written to before stays known.")

  @OptionGroup var host: HostOptions

  @Argument(help: "The login.")
  var user: String

  func perform(_ terminal: Terminal) throws(HostFailure) -> Status {
    let work = try LimitsWork(host, "clear")
    let name = try LimitsWork.user(user)
    guard let counts = try work.store.counts(of: name, now: work.now).first(where: { !$0.isEmpty }) else {
      say("\(name) has sent nothing in the last 24 hours: there is nothing to clear")
      return 0
    }
    try work.store.clear(name)
    say(
      "cleared of \(name): \(counts.messages) messages, \(counts.recipients) recipients, \(counts.newRecipients) of "
        + "them new")
    let limits = work.work.settings.limits(of: name)
    for block in counts.blocks { say("it had reached \(block.limit.words(limits)), and may send again now") }
    return 0
  }
}

/// For `mailhost-limits.timer`.
struct LimitsTell: Verb {
  static let configuration = CommandConfiguration(
    commandName: "tell", abstract: "Tell the administrator by mail which accounts have reached a limit.",
    discussion:
      "Once a day for each account and limit: mailhost-limits.timer calls it. While the vault is locked it does nothing."
  )

  @OptionGroup var host: HostOptions

  func perform(_ terminal: Terminal) throws(HostFailure) -> Status {
    guard try isTimely() else { return 0 }
    let work = try LimitsWork(host, "tell")
    let settings = work.work.settings
    for counts in try work.store.counts(now: work.now) {
      guard let notice = SendingNotice(counts, settings.limits(of: counts.user), now: work.now) else { continue }
      try AdministratorMail(settings: settings).send(subject: notice.subject, notice.text)
      // Afterwards: a mail twice is better than none.
      try work.store.told(counts.user, notice.reached, at: work.now)
      say("told \(settings.administrator): \(notice.subject)")
    }
    return 0
  }

  private func isTimely() throws(HostFailure) -> Bool {
    let settings = try host.settings()
    return settings.countsSending
      && (!settings.isInVault(settings.redisDirectory)
        || Vault(settings: settings, root: HostRoot(prefix: host.prefix)).isOpen)
  }
}
