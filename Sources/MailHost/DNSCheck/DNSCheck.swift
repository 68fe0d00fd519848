import DNS

/// Looks at everything in the DNS that a mail host depends on, as the world sees it. Nothing is compared as text: a stronger or an equal
/// answer is right.
public final class DNSCheck {
  /// How a policy was fetched: its text, or why not.
  public typealias PolicyFetch = (_ url: String) -> Result<String, PolicyFailure>

  public struct PolicyFailure: Error, Equatable, Sendable {
    public var text: String
    public init(_ text: String) { self.text = text }
  }

  let settings: HostSettings
  let facts: RecordFacts
  let view: DNSView
  let judge: RecordJudge
  let fetch: PolicyFetch
  var findings: [DNSFinding] = []

  /// - Parameter view: best one that asks nobody twice who was silent.
  public init(_ settings: HostSettings, _ facts: RecordFacts, _ view: DNSView, fetch: @escaping PolicyFetch) {
    self.settings = settings
    self.facts = facts
    self.view = view
    self.fetch = fetch
    judge = RecordJudge(view)
  }

  var host: String { settings.hostName.lowercased() }

  /// Everything, or what concerns some domains.
  ///
  /// - Parameter today: a day, `2026-11-30`: mutes that have ended count no more.
  public func run(domains: [String], withHost: Bool, today: String) -> [DNSFinding] {
    findings = []
    if let silence = view.resolversAreSilent(host) {
      // One word in place of the same one for each record.
      return [
        DNSFinding(
          host, .servers, .required, .unknown, silence,
          hint: "see /etc/resolv.conf, and whether this host reaches the network")
      ]
    }
    if withHost {
      view.limit(to: 2 * Self.seconds)
      checkHost()
    }
    for domain in domains {
      view.limit(to: Self.seconds)
      check(domain: domain)
    }
    view.limit(to: Self.seconds)
    for name in settings.dns.silentNames where withHost || domains.contains(name) { check(silent: name) }
    checkServers()
    for index in findings.indices {
      guard let mute = settings.dns.mutes.first(where: { $0.finding == findings[index].name }) else { continue }
      if mute.until < today {
        if findings[index].severity > 0 {
          findings[index].text += " (was not to be told until \(mute.until): \(mute.reason))"
        }
      } else if findings[index].severity > 0 {
        findings[index].muted = "\(mute.reason) (until \(mute.until))"
      }
    }
    return findings
  }

  func add(
    _ about: String, _ subject: DNSFinding.Subject, _ rank: RecordRank, _ verdict: RecordVerdict
  ) {
    findings.append(DNSFinding(about, subject, rank, verdict.result, verdict.text, hint: verdict.hint))
  }

  /// The records of a name through the resolvers; an error as a verdict.
  func found(_ name: String, _ type: DNSType) -> Result<[DNSRecord], DNSError> {
    do throws(DNSError) { return .success(try view.records(name, type)) } catch { return .failure(error) }
  }

  /// As the servers of the zone have them.
  func addresses(of name: String) throws(DNSError) -> [IPAddress] {
    (try view.owned(name, .a) + view.owned(name, .aaaa)).compactMap { $0.address.flatMap(IPAddress.init) }
  }

  /// For each host or domain: name servers that are not there are no reason to look at nothing else.
  private static let seconds = 90.0

  // MARK: Servers

  /// Those that answer nobody, whom everybody passes over, and those that did not answer now: once for each zone.
  private func checkServers() {
    for (zone, failures) in judge.trouble.sorted(by: { $0.key < $1.key }) {
      let told = failures.filter { $0.value != .bogus }.sorted { $0.key < $1.key }
      guard !told.isEmpty else { continue }
      let isTolerable = told.allSatisfy { $0.value.isRefusal && !$0.key.hasPrefix("resolver ") }
      findings.append(
        DNSFinding(
          zone, .servers, .recommended, isTolerable ? .remark : .wrong,
          told.map { "\($0.key) \($0.value.text)" }.joined(separator: "; "),
          hint: "whoever asks it goes on to the next one: have it taken out of the NS records, or mended"))
    }
  }
}
