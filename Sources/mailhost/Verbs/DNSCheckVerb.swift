import ArgumentParser
import Console
import DNS
import Glibc
import HostChecks
import JSON
import Linux
import MailHost
import MailbootCore
import Text

struct DNSCheckVerb: Verb {
  static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Look at everything in the DNS that this host depends on, as the world sees it.",
    discussion: """
      Every name server of each zone is asked, then the resolvers. Nothing is compared as text: SPF is evaluated for each address of this \
      host, and a stronger or an equivalent answer is right. What you do not want to hear of goes into [[dns.mute]] of mailhost.toml, with \
      a reason and a day until when.

      Exit code 0: all that counts is right. 1: something recommended is missing, not everywhere yet, or could not be asked. 2: something \
      without which mail does not come, or is refused.
      """)

  @OptionGroup var host: HostOptions

  @Argument(help: "Domains, or the host's name; all without any.")
  var domains: [String] = []

  @Option(help: "text or json.")
  var format = OutputFormat.text

  @Flag(help: "Also what is right.")
  var all = false

  @Flag(help: "Only what is new or gone since the last check of everything; for cron.")
  var changes = false

  @Flag(help: "Mail the changes to the administrator; the exit code is 0 then, whatever they are.")
  var mail = false

  func validate() throws {
    if (changes || mail) && !domains.isEmpty { throw ValidationError("changes are told of all domains together") }
  }

  func perform(_ terminal: Terminal) throws(HostFailure) -> Status {
    let work = try DNSWork(host, domains)
    let check = DNSCheck(work.settings, work.facts, work.view) { url in
      switch WebPage.fetch(url, seconds: 10) {
      case .success(let text): .success(text)
      case .failure(let failure): .failure(DNSCheck.PolicyFailure(failure.reason))
      }
    }
    let now = Double(time(nil))
    let findings = check.run(
      domains: work.domains.filter { !work.settings.dns.silentNames.contains($0) }, withHost: work.withHost,
      today: String(timestamp(now).prefix(10)))
    let before = Self.last()
    // Where no resolver answers nothing is known but that.
    let isWhole = work.facts.domainsAreKnown && findings.count > 1
    let record = DNSCheckRecord(at: now, findings: findings.map(DNSCheckRecord.Finding.init))
      .carrying(domains.isEmpty ? before : nil, isWhole: isWhole)
    let text = FindingText(terminal: .forReading, showsAll: all)
    switch format {
    case .json: say(record.json().rendered())
    case .text:
      let lines = changes || mail ? text.changes(record, since: before) : text.lines(record)
      if !changes && !mail { for note in work.notes { tell("note: \(note)") } }
      for line in lines where !mail { say(line) }
      if mail, !lines.isEmpty {
        let plain = FindingText(terminal: Terminal(columns: 79), showsAll: false)
        try AdministratorMail(settings: work.settings).send(
          subject: "DNS: what has changed", plain.changes(record, since: before).joined(separator: "\n"))
      }
    }
    // Last: what could not be told is new the next time, too.
    if domains.isEmpty, work.root.isHere { try storeRecord(record.json(), at: DNSCheckRecord.path) }
    return mail ? 0 : Status(record.severity)
  }

  private static func last() -> DNSCheckRecord? {
    guard let bytes = readSmallFile(DNSCheckRecord.path, flags: O_NOFOLLOW) else { return nil }
    return JSONText(parsing: bytes).flatMap(DNSCheckRecord.init(json:))
  }
}

extension DNSCheckRecord.Finding {
  init(_ finding: DNSFinding) {
    self.init(
      name: finding.name, rank: finding.rank.rawValue, result: finding.result.rawValue, severity: finding.severity,
      detail: finding.text, hint: finding.hint, muted: finding.muted)
  }
}
