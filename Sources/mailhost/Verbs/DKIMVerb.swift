import ArgumentParser
import Console
import Glibc
import JSON
import Linux
import MailHost
import Text

/// The keys that mail is signed with.
struct DKIMVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "dkim", abstract: "The keys that mail is signed with: made, published, replaced without a gap.",
    discussion: """
      A key is made (next), its record is shown by every name server (published), it signs (active), the next one signs and its record \
      stays for a week longer (retiring), its record is gone (retired). Where each stands is read from the files and from the DNS at \
      each call; nothing signs whose record is not shown everywhere.
      """,
    subcommands: [
      DKIMStatusVerb.self, DKIMGenerateVerb.self, DKIMRecordsVerb.self, DKIMRotateVerb.self, DKIMRetireVerb.self,
    ], defaultSubcommand: DKIMStatusVerb.self)
}

/// What all verbs of keys have in common.
private struct KeyWork {
  let work: HostWork
  let host: SigningHost
  let text: KeyText
  let domains: [String]

  init(_ options: HostOptions, _ named: [String], _ terminal: Terminal) throws(HostFailure) {
    try requireRoot("dkim")
    work = try HostWork(options)
    guard work.settings.spamFilter, work.settings.selector != nil else {
      throw HostFailure(
        .failed, "no mail is signed on this host", hint: "set dkim_selector in mailhost.toml, and `mailhost apply`")
    }
    guard Vault(settings: work.settings, root: work.root).isOpen || !work.root.isHere else {
      throw HostFailure(.locked, "the vault is locked, and the keys are in it", hint: "run `mailboot`")
    }
    let hosted = try HostedAccounts(settings: work.settings, root: work.root).domains()
    for name in named where !hosted.contains(name.lowercased()) {
      throw HostFailure(.failed, "\(name) is no domain of this host", hint: "`mailcfg lsdom` lists them")
    }
    domains = named.isEmpty ? hosted : named.map { $0.lowercased() }
    host = SigningHost(work)
    text = KeyText(terminal: terminal, publisher: host.publisher, now: Double(time(nil)))
  }

  var rotation: KeyRotation<SigningHost> {
    KeyRotation(
      host: host, keep: work.settings.keepsRecordsFor,
      algorithms: work.settings.signsWithEd25519 ? [.rsa, .ed25519] : [.rsa])
  }

  func sights(_ keys: DomainKeys, asking: Bool = true) -> [KeySight] {
    keys.keys.map { key in
      let record = KeyRecord(
        domain: keys.domain, selector: key.selector, algorithm: key.algorithm,
        publicKey: key.publicForms.first ?? "")
      let seen =
        key.isUsable && asking
        ? host.look(at: record, forms: key.publicForms) : RecordVisibility(unknown: "the DNS was not asked")
      return KeySight(key: key, state: keys.state(of: key, seen: seen), seen: seen, record: record)
    }
  }
}

extension HostSettings {
  /// How long the record of a key stays after its last signature, in seconds: what waits in a queue, here or elsewhere, comes within the
  /// queue's life, and a day more is for a clock that is wrong.
  var keepsRecordsFor: Double {
    let own = self.own.main.first { $0.name == "maximal_queue_lifetime" }.flatMap { line -> Double? in
      let units: [Character: Double] = ["s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604_800]
      // Days, where nothing is said (postconf(5)).
      guard let unit = line.value.last.flatMap({ units[$0] }) else { return Double(line.value).map { $0 * 86400 } }
      return Double(line.value.dropLast()).map { $0 * unit }
    }
    return max(7 * 86400, (own ?? 5 * 86400) + 86400) + 86400
  }
}

extension HostFailure {
  fileprivate init(_ failure: RotationFailure) { self.init(.failed, failure.text, hint: failure.hint) }
}

private func rotating<Result>(_ body: () throws(RotationFailure) -> Result) throws(HostFailure) -> Result {
  do { return try body() } catch { throw HostFailure(error) }
}

struct DKIMStatusVerb: Verb {
  static let configuration = CommandConfiguration(
    commandName: "status", abstract: "Where each key is in its life.",
    discussion: "Exit code 1 when a key that is to sign cannot, or is not shown to the world.")

  @OptionGroup var host: HostOptions

  @Argument(help: "Domains; all without any.")
  var domains: [String] = []

  @Option(help: "text or json.")
  var format = OutputFormat.text

  func perform(_ terminal: Terminal) throws(HostFailure) -> Status {
    let work = try KeyWork(host, domains, Terminal(descriptor: 1))
    var rows: [JSONText] = []
    var isWrong = false
    for domain in work.domains {
      let keys = try rotating { () throws(RotationFailure) in try work.host.keys(of: domain) }
      let sights = work.sights(keys)
      let signing = sights.filter { $0.state == .active }
      let isSound =
        !signing.isEmpty
        && signing.allSatisfy {
          $0.key.isUsable && ($0.seen.isEverywhere || $0.seen.unknown != nil)
        }
      isWrong = isWrong || !isSound || keys.signing.contains { keys.key($0) == nil }
      switch format {
      case .text: for line in work.text.lines(keys, sights) { say(line) }
      case .json: rows.append(json(keys, sights))
      }
    }
    if format == .json { say(JSONText.array(rows).rendered()) }
    return isWrong ? HostFailure.Kind.failed.rawValue : 0
  }

  private func json(_ keys: DomainKeys, _ sights: [KeySight]) -> JSONText {
    .object([
      ("domain", .string(keys.domain)), ("signing", .array(keys.signing.map { .string($0) })),
      (
        "keys",
        .array(
          sights.map { sight in
            var since: JSONText = .null
            if case .since(let time)? = sight.key.mark { since = .string(timestamp(time)) }
            return .object([
              ("selector", .string(sight.key.selector)), ("algorithm", .string(sight.key.algorithm.rawValue)),
              ("state", .string(sight.state.rawValue)), ("made", .string(timestamp(sight.key.made))),
              ("last_signature", since), ("problem", sight.key.problem.map { .string($0) } ?? .null),
              ("name", .string(sight.record.name)), ("value", .string(sight.record.text)),
              ("shown_by", .array(sight.seen.shown.map { .string($0) })),
              ("obstacles", .array(sight.seen.obstacles.map { .string($0) })),
              ("remarks", .array(sight.seen.remarks.map { .string($0) })),
            ])
          })
      ),
    ])
  }
}

struct DKIMGenerateVerb: Verb {
  static let configuration = CommandConfiguration(
    commandName: "generate", abstract: "Make a domain's next key, which does not sign yet.",
    discussion: "A key that is there is never overwritten. The first key of a domain that has none signs at once.")

  @OptionGroup var host: HostOptions

  @Argument(help: "The domain.")
  var domain: String

  @Option(help: "Its name in the DNS; without it the year and the month, or what dkim_selector_next says.")
  var selector: String?

  @Option(help: "rsa or ed25519.")
  var algorithm = KeyAlgorithm.rsa

  func perform(_ terminal: Terminal) throws(HostFailure) -> Status {
    let work = try KeyWork(host, [domain], Terminal(descriptor: 1))
    let name = work.domains[0]
    let lock = try HostLock(work.work.root)
    defer { withExtendedLifetime(lock) {} }
    let keys = try rotating { () throws(RotationFailure) in try work.host.keys(of: name) }
    // The first key of all is the one that rspamd looks for.
    let first = algorithm == .rsa ? keys.signing.first { keys.key($0) == nil } : nil
    let made: String
    if let selector {
      guard isSelector(selector) else {
        throw HostFailure(.usage, "\(selector) is no selector", hint: "letters, digits and hyphens, such as 202601")
      }
      made = selector
    } else if let first {
      made = first
    } else {
      made = try rotating { () throws(RotationFailure) in try work.host.newSelector(for: name, algorithm) }
    }
    try rotating { () throws(RotationFailure) in try work.host.makeKey(of: name, made, algorithm) }
    let after = try rotating { () throws(RotationFailure) in try work.host.keys(of: name) }
    guard let key = after.key(made), key.isUsable else {
      throw HostFailure(.failed, "\(name): the new key \(made) cannot be read")
    }
    let record = KeyRecord(
      domain: name, selector: made, algorithm: key.algorithm, publicKey: key.publicForms.first ?? "")
    say("made \(work.host.files.path(name, made, "key"))")
    for line in work.text.publishing(record) { say(line) }
    return 0
  }

  private func isSelector(_ text: String) -> Bool {
    (1...63).contains(text.utf8.count) && !text.hasPrefix("-") && !text.hasSuffix("-")
      && text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") }
  }
}

struct DKIMRecordsVerb: Verb {
  static let configuration = CommandConfiguration(
    commandName: "records", abstract: "The records of the keys, as zone files and web forms want them.")

  enum Format: String, CaseIterable, ExpressibleByArgument {
    case text, zone, json
  }

  @OptionGroup var host: HostOptions

  @Argument(help: "Domains; all without any.")
  var domains: [String] = []

  @Option(help: "How they are printed.")
  var format = Format.text

  func perform(_ terminal: Terminal) throws(HostFailure) -> Status {
    let work = try KeyWork(host, domains, Terminal(descriptor: 1))
    var rows: [JSONText] = []
    for domain in work.domains {
      let keys = try rotating { () throws(RotationFailure) in try work.host.keys(of: domain) }
      for sight in work.sights(keys, asking: false) where sight.key.isUsable {
        let name = work.host.publisher.name(of: sight.record)
        switch format {
        case .text:
          say(
            terminal.coloured(
              "\(domain): \(sight.key.selector), \(keys.signs(sight.key) ? "signs" : "does not sign")", .bold))
          for line in work.text.publishing(sight.record) { say(line) }
        case .zone:
          if name != sight.record.name { say("\(sight.record.name). IN CNAME \(name).") }
          say("\(name). IN TXT ( \(sight.record.quotedText) )")
        case .json:
          rows.append(
            .object([
              ("domain", .string(domain)), ("selector", .string(sight.key.selector)), ("type", .string("TXT")),
              ("name", .string(name)), ("value", .string(sight.record.text)),
              ("alias", name == sight.record.name ? .null : .string(sight.record.name)),
            ]))
        }
      }
    }
    if format == .json { say(JSONText.array(rows).rendered()) }
    return 0
  }
}

struct DKIMRotateVerb: Verb {
  static let configuration = CommandConfiguration(
    commandName: "rotate", abstract: "Replace the keys, as far as it can be done now; call it again for the next step.",
    discussion: """
      A new key is made and published, and signs as soon as every name server and each resolver show its record. The record of the old \
      key is removed a week later, then its file. Exit code 2 when it is a person's turn to publish or to remove a record.
      """)

  @OptionGroup var host: HostOptions

  @Argument(help: "Domains; all without any.")
  var domains: [String] = []

  @Flag(help: "Begin with a key only when the one that signs is older than dkim_rotate_days; what was begun goes on.")
  var due = false

  @Flag(help: "Begin with another key although the one before the present one has not gone yet.")
  var again = false

  @Flag(help: "Mail what a person has to do to the administrator, once, and again after a week.")
  var mail = false

  func perform(_ terminal: Terminal) throws(HostFailure) -> Status {
    let work: KeyWork
    do throws(HostFailure) {
      work = try KeyWork(host, domains, Terminal(descriptor: 1))
    } catch {
      // The next call finds it open.
      if due, error.kind == .locked {
        tell("the vault is locked: nothing is done")
        return 0
      }
      throw error
    }
    let lock = try HostLock(work.work.root)
    defer { withExtendedLifetime(lock) {} }
    var told: [String] = []
    var turn: [String] = []
    var failures: [HostFailure] = []
    for domain in work.domains {
      do throws(RotationFailure) {
        let wish: KeyRotation<SigningHost>.Wish =
          due ? .whenOlder(Double(work.work.settings.rotateDays) * 86400) : again ? .beginAgain : .begin
        for event in try work.rotation.advance(domain, wish) {
          let (lines, needsPerson) = work.text.lines(event, domain)
          for line in lines { say(line) }
          told += lines
          if needsPerson { turn += lines }
        }
      } catch {
        failures.append(HostFailure(error))
        turn.append("error: \(error.text)" + (error.hint.map { "\nhint: \($0)" } ?? ""))
      }
    }
    if told.isEmpty, failures.isEmpty { say(due ? "no key is due" : "nothing to do") }
    if mail { try PersonsTurn(work: work.work).mail(turn) }
    // All but the last are shown here, the last one by whoever called.
    for failure in failures.dropLast() { _ = complain(failure, terminal) }
    if let failure = failures.last { throw failure }
    return turn.isEmpty ? 0 : HostFailure.Kind.undecided.rawValue
  }
}

struct DKIMRetireVerb: Verb {
  static let configuration = CommandConfiguration(
    commandName: "retire", abstract: "Take a key out of use: one that waits, or one of two that sign.",
    discussion: "The only key that signs is not taken: `mailhost dkim rotate` replaces it.")

  @OptionGroup var host: HostOptions

  @Argument(help: "The domain.")
  var domain: String

  @Argument(help: "The key's selector.")
  var selector: String

  func perform(_ terminal: Terminal) throws(HostFailure) -> Status {
    let work = try KeyWork(host, [domain], Terminal(descriptor: 1))
    let name = work.domains[0]
    let lock = try HostLock(work.work.root)
    defer { withExtendedLifetime(lock) {} }
    let events = try rotating { () throws(RotationFailure) in try work.rotation.retire(selector, of: name) }
    var isPersonsTurn = false
    for event in events {
      let (lines, needsPerson) = work.text.lines(event, name)
      for line in lines { say(line) }
      isPersonsTurn = isPersonsTurn || needsPerson
    }
    return isPersonsTurn ? HostFailure.Kind.undecided.rawValue : 0
  }
}

extension KeyAlgorithm: ExpressibleByArgument {}
