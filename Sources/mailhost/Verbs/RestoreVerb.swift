import ArgumentParser
import Console
import Glibc
import JSON
import Linux
import MailHost
import MailbootConfiguration
import Text

extension SnapshotPart: ExpressibleByArgument {}

struct RestoreVerb: Verb {
  static let configuration = CommandConfiguration(
    commandName: "restore",
    abstract: "Show how a snapshot differs from this host, and put back what is missing or older.",
    discussion: """
      Without --write, or a yes at the terminal, nothing is changed. What was changed here after the snapshot stays, unless --overwrite \
      names it. What is replaced stays beside the new one, with the time in its name.
      """)

  @OptionGroup var host: HostOptions
  @OptionGroup var opening: SnapshotOptions

  @Flag(help: "Put back what is missing or older here, without asking.")
  var write = false

  @Option(help: ArgumentHelp("Replace also this part or file, although it is newer here.", valueName: "name"))
  var overwrite: [String] = []

  @Option(help: ArgumentHelp("Take the snapshot of another host.", valueName: "name"))
  var ofHost: String?

  @Option(help: "text or json.")
  var format = OutputFormat.text

  @Argument(help: ArgumentHelp("The snapshot.", valueName: "file"))
  var file: String

  @Argument(help: "Only these parts: accounts, keys, sieve, settings.")
  var parts: [SnapshotPart] = []

  func perform(_ terminal: Terminal) throws(HostFailure) -> Status {
    if host.prefix.isEmpty { try requireRoot("restore") }
    let snapshot = try opening.read(file)
    let root = HostRoot(prefix: host.prefix)
    let (settings, isOwn) = try settings(snapshot)
    try requireHost(snapshot, settings)
    let places = SnapshotPlaces(
      settings, settingsFile: root.inside(host.config), mailbootFile: ConfigurationFiles.standardPath,
      namesFiles: !isOwn)
    var chosen = Set(parts.isEmpty ? SnapshotPart.allCases : parts)
    if isOwn { try takeSettingsAlone(&chosen) }
    try requireOpenVault(
      settings, root, places, of: chosen,
      hint: parts.isEmpty ? "; the settings alone: `mailhost restore \(shellWord(file)) settings`" : "")
    let lock = try HostLock(root)
    defer { withExtendedLifetime(lock) {} }
    let plan = try RestorePlan(
      snapshot, chosen, places, own: (try? snapshot.settings()).map(SnapshotPlaces.named) ?? [], root)
    for text in plan.leftOut { tell("note: " + visible(text)) }
    let named = try named(plan)
    let due = plan.different.filter { !$0.difference.needsWord || named.contains($0.entry.name) }
    let text = RestoreText(plan: plan, due: Set(due.map(\.entry.name)))
    if format == .text {
      say(visible(SnapshotText.title(snapshot, now: Double(time(nil)))))
      for line in text.lines(Terminal(descriptor: 1)) { say(line) }
    }
    let isAgreed = try isAgreed(due)
    if isAgreed { try put(due, RestoreWriter(plan, root), settings, root) }
    if format == .json { say(text.json(snapshot, isWritten: isAgreed)) }
    let isAll = plan.leftOut.isEmpty && (!isOwn || !parts.isEmpty)
    let rest = plan.different.count - (isAgreed ? due.count : 0) + (isAll ? 0 : 1)
    if format == .text { say(text.ending(isWritten: isAgreed)) }
    return rest == 0 ? 0 : HostFailure.Kind.undecided.rawValue
  }

  /// Those of this host; where there are none, or broken ones, the snapshot's own.
  private func settings(_ snapshot: Snapshot) throws(HostFailure) -> (HostSettings, isOwn: Bool) {
    guard host.hasSettings else {
      tell("note: there is no \(host.config) here: first the settings are put back")
      return (try snapshot.settings(), true)
    }
    do throws(HostFailure) {
      return (try host.settings(), false)
    } catch {
      guard error.kind == .configuration else { throw error }
      tell("note: \(visible(error.texts.first ?? host.config)): first the settings are put back")
      return (try snapshot.settings(), true)
    }
  }

  /// Where all else belongs the settings of this host have to say, which somebody has looked at.
  private func takeSettingsAlone(_ parts: inout Set<SnapshotPart>) throws(HostFailure) {
    guard parts.contains(.settings) else {
      throw HostFailure(
        .failed, "nothing here says where these belong; nothing was changed",
        hint: "first `mailhost restore \(shellWord(file)) settings`, and look at \(host.config)")
    }
    if parts.count > 1 { tell("note: for the rest call this once more then") }
    parts = [.settings]
  }

  private func requireHost(_ snapshot: Snapshot, _ settings: HostSettings) throws(HostFailure) {
    let other = snapshot.manifest.host
    if let ofHost, ofHost != other {
      throw HostFailure(.usage, "it is a snapshot of \(visibleInLine(other)), not of \(visibleInLine(ofHost))")
    }
    guard other == settings.hostName || ofHost != nil else {
      throw HostFailure(
        .failed,
        "it is a snapshot of \(visibleInLine(other)), and this host is \(settings.hostName); nothing was changed",
        hint: "`--of-host \(shellWord(visibleInLine(other)))` takes it nevertheless")
    }
  }

  /// Names of the entries that `--overwrite` is for.
  private func named(_ plan: RestorePlan) throws(HostFailure) -> Set<String> {
    var names: Set<String> = []
    for word in overwrite {
      let found = plan.items.filter { $0.entry.part?.rawValue == word || $0.entry.name == word || $0.path == word }
      guard !found.isEmpty else {
        throw HostFailure(
          .usage, "\(visibleInLine(word)) is no part and no file of this snapshot; nothing was changed",
          hint: "call it without --overwrite: it lists them")
      }
      names.formUnion(found.map(\.entry.name))
    }
    return names
  }

  private func isAgreed(_ due: [RestorePlan.Item]) throws(HostFailure) -> Bool {
    if due.isEmpty { return false }
    if write { return true }
    switch confirmation(of: "Put \(due.count == 1 ? "this" : "these \(due.count)") back?") {
    case .yes: return true
    case .no, .nobodyThere, .noTerminal: return false
    case .interrupted: throw HostFailure(.interrupted, "interrupted; nothing was changed")
    }
  }

  private func put(
    _ due: [RestorePlan.Item], _ writer: RestoreWriter, _ settings: HostSettings, _ root: HostRoot
  ) throws(HostFailure) {
    try writer.requireOwners(due)
    // Redis has none of it.
    let services = Services(redisName: "redis")
    try RestoreSequence.run(due.map(\.entry)) { (index) throws(HostFailure) in
      if let aside = try writer.write(due[index]) { tell("note: what was there is \(visible(aside)) now") }
    } tell: { (reader) throws(HostFailure) in
      if settings.manage.services, root.isHere, Services.isThere { try services.tell(reader, anew: false) }
    }
    if due.contains(where: { $0.entry.part == .settings }) {
      tell("note: the settings changed: `mailhost plan`, then `mailhost apply`")
    }
  }
}
