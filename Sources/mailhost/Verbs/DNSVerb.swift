import ArgumentParser
import Console
import DNS
import JSON
import Linux
import MailHost
import Text

/// The records that this host needs, and whether they are there.
struct DNSVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "dns", abstract: "The records that this host needs in the DNS, and whether they are there.",
    subcommands: [DNSRecordsVerb.self, DNSCheckVerb.self], defaultSubcommand: DNSRecordsVerb.self)
}

/// What both verbs look at.
struct DNSWork {
  let settings: HostSettings
  let root: HostRoot
  let view: DNSView
  let facts: RecordFacts
  let domains: [String]
  /// Whether the records of the host's own name are among what was asked for.
  let withHost: Bool
  let notes: [String]

  init(_ options: HostOptions, _ named: [String]) throws(HostFailure) {
    if options.prefix.isEmpty { try requireRoot("dns") }
    settings = try options.settings()
    root = HostRoot(prefix: options.prefix)
    view = DNSView(resolvers: SigningHost.resolvers(settings, root), asksSilentOnesAgain: false)
    var notes: [String] = []
    facts = try RecordFacts.here(settings, root, view, notes: &notes)
    self.notes = notes
    let own = settings.hostName.lowercased()
    let names = named.map { canonicalName($0) }
    let known = Set(facts.domains + settings.dns.silentNames + [own])
    for name in names where !known.contains(name) {
      throw HostFailure(.failed, "\(name) is no domain of this host", hint: "`mailcfg lsdom` lists them")
    }
    domains = names.isEmpty ? facts.domains : names.filter { $0 != own }
    withHost = names.isEmpty || names.contains { isName(own, within: $0) }
  }
}

struct DNSRecordsVerb: Verb {
  static let configuration = CommandConfiguration(
    commandName: "records", abstract: "Every record that this host needs, with its reason.",
    discussion: """
      required: without it mail does not come, or is refused elsewhere; recommended: without it some mail is taken for spam; optional. \
      Without a domain: all of them, and the host's own name. `--format zone` is a piece of a zone file, `--format nsupdate` are commands \
      for nsupdate(1): it replaces what is this host's alone, and removes nothing else.
      """)

  enum Format: String, CaseIterable, ExpressibleByArgument {
    case table, zone, json, nsupdate
  }

  @OptionGroup var host: HostOptions

  @Argument(help: "Domains, or the host's name; all without any.")
  var domains: [String] = []

  @Option(help: "How they are printed.")
  var format = Format.table

  func perform(_ terminal: Terminal) throws(HostFailure) -> Status {
    let work = try DNSWork(host, domains)
    var wanted = WantedRecords(work.settings, work.facts)
    wanted.domains.removeAll { !work.domains.contains($0.name) && !(domains.isEmpty) }
    if !work.withHost { wanted.host = [] }
    wanted.notes = work.notes + wanted.notes
    switch format {
    case .table: for line in RecordText(terminal: .forReading).lines(wanted) { say(line) }
    case .zone: emit(wanted.zone(), to: 1)
    case .json: say(wanted.json().rendered())
    case .nsupdate: emit(wanted.update(ZonesHere(view: work.view, settings: work.settings, facts: work.facts)), to: 1)
    }
    return 0
  }
}
