import Glibc
import JSON
import Linux
import MailHost
import MailHostProof
import MailbootCore

/// Everything that can be explained on this host.
struct ExplanationBook {
  let config: String
  let settings: HostSettings
  /// What stands in `mailhost.toml` and its drop-ins; nil: there is none, and the values are those of the example.
  let tree: ConfigurationNode?
  let guide: SettingsGuide
  let here: Reasons
  private let facts: HostFacts
  private let options: HostOptions

  init(_ options: HostOptions, versions: [String]) throws(HostFailure) {
    let guideFile = "\(options.templates)/mailhost.toml"
    guard let text = readSmallText(guideFile) else {
      throw HostFailure(
        .failed, "\(guideFile) cannot be read: \(errnoText())", hint: "reinstall the package mailboot")
    }
    config = options.config
    if fileStatus(options.config) == nil, options.config == HostOptions.standardPath {
      var example = options
      example.config = guideFile
      settings = try example.settings()
      tree = nil
    } else {
      let read = try options.read()
      settings = read.settings
      tree = read.tree
    }
    guide = SettingsGuide(text, of: settings)
    facts = try HostFacts.here(settings, in: HostRoot(prefix: options.prefix), asked: versions)
    here = Reasons(try rendered(settings, facts, options))
    self.options = options
  }

  /// What other versions and other settings would write. Templates that could be rendered for this host can be for others, too.
  func elsewhere() -> Reasons {
    let files = [facts.versions, .debian12, .debian13].flatMap { versions in
      let all = HostFacts(versions: versions, hasFail2ban: true, hasCertbot: true, mailUser: facts.mailUser)
      return (try? rendered(settings.withEverything, all, options)) ?? []
    }
    return Reasons(files).withoutRepetitions
  }

  /// All that `explain` knows, for guesses.
  var names: [String] {
    guide.entries.map(\.key) + (here.settings + elsewhere().settings).flatMap { [$0.path.last ?? "", $0.name] }
  }

  /// What `mailhost.toml` has for a key.
  func node(_ key: String) -> ConfigurationNode? {
    var node = tree
    for name in key.split(separator: ".") {
      guard case .table(let members) = node?.value else { return nil }
      node = members[String(name)]
    }
    return node
  }

  /// What holds for a key; nil: it is not set, and has no default.
  func value(of entry: SettingsGuide.Entry) -> String? {
    if let node = node(entry.key) { return node.shown }
    return entry.kind == .standard || tree == nil && entry.kind == .needed ? entry.value : nil
  }

  func json(_ entry: SettingsGuide.Entry) -> JSONText {
    let node = node(entry.key)
    return .object([
      ("key", .string(entry.key)), ("value", .optional(value(of: entry))),
      ("default", .optional(entry.kind == .standard ? entry.value : nil)),
      ("example", .optional(entry.kind == .standard ? nil : entry.value)), ("file", .optional(node?.origin.file)),
      ("line", node.map { .integer(Int64($0.origin.line)) } ?? .null), ("why", .string(entry.text)),
    ])
  }
}

extension ExplainedSetting {
  var json: JSONText {
    .object([
      ("file", .string(file)), ("line", .integer(Int64(line))), ("name", .string(name)),
      ("path", .array(path.map(JSONText.string))), ("value", .string(value)), ("why", .string(reason.text)),
      ("since", .optional(reason.since)),
      (
        "proofs",
        .array(
          reason.proofs.map { name in
            .object([("name", .string(name)), ("shows", .optional(ProofName(rawValue: name)?.meaning))])
          })
      ),
    ])
  }
}

extension ConfigurationNode {
  /// As it could stand in the file; of a table within an array only that there is one, as it may hold a password's hash.
  var shown: String {
    switch value {
    case .string(let text): "\"\(text)\""
    case .integer(let number): String(number)
    case .double(let number): String(number)
    case .boolean(let flag): String(flag)
    case .temporal: "a date or time"
    case .array(let items): "[" + items.map(\.shown).joined(separator: ", ") + "]"
    case .table: "{ … }"
    }
  }
}
