import ArgumentParser
import Console
import JSON
import MailHost

enum OutputFormat: String, ExpressibleByArgument, CaseIterable {
  case text, json
}

struct PlanVerb: Verb {
  static let configuration = CommandConfiguration(
    commandName: "plan", abstract: "What `apply` would change; changes nothing.",
    discussion: "Exit code 0: nothing. 2: something, or something to decide.")

  @OptionGroup var host: HostOptions

  @Option(help: "text or json.")
  var format = OutputFormat.text

  @Flag(help: "Names only, without what changes in files.")
  var short = false

  @Option(
    name: .customLong("for"),
    help: ArgumentHelp(
      "As if another version were installed: debian=13, dovecot=2.4; may be repeated.", valueName: "name=version"))
  var versions: [String] = []

  func perform(_ terminal: Terminal) throws(HostFailure) -> Status {
    if host.prefix.isEmpty { try requireRoot("plan") }
    var work = try HostWork(host)
    if !versions.isEmpty {
      work.facts = try HostFacts.here(work.settings, in: work.root, asked: versions)
      work.files = try rendered(work.settings, work.facts, host)
    }
    let plan = try work.observe().plan
    switch format {
    case .json: say(plan.json.rendered())
    case .text: PlanText(plan, terminal: Terminal(descriptor: 1), withDiffs: !short).show()
    }
    return plan.isEmpty ? 0 : HostFailure.Kind.undecided.rawValue
  }
}
