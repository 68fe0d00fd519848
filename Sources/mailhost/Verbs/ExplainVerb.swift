import ArgumentParser
import Console
import JSON
import MailHost
import MailbootCore
import Text

struct ExplainVerb: Verb {
  static let configuration = CommandConfiguration(
    commandName: "explain", abstract: "Tell a setting's value, its reason and what proves it.",
    discussion: """
      KEY is a setting of any of the files (smtpd_relay_restrictions, 'service lmtp', main.cf/myhostname), a file, or a key of \
      mailhost.toml (dkim_selector). Without KEY: all of them, one line each.
      """)

  @OptionGroup var host: HostOptions

  @Option(
    name: .customLong("for"),
    help: ArgumentHelp("Another version than the installed one; see `render`.", valueName: "name=version"))
  var versions: [String] = []

  @Option(help: "text or json.")
  var format = OutputFormat.text

  @Argument(help: ArgumentHelp("What is to be explained.", valueName: "key"))
  var key: String?

  func perform(_ terminal: Terminal) throws(HostFailure) -> Status {
    let book = try ExplanationBook(host, versions: versions)
    let isExample = book.tree == nil
    if isExample, format == .text {
      let text = "There is no \(host.config): these are the values of an example."
      tell(terminal.wrapped(text, indent: 0))
    }
    guard let key else {
      show(book, entries: book.guide.entries, settings: book.here.settings)
      return 0
    }
    let entries = book.guide.search(key)
    var settings = book.here.search(key)
    var isElsewhere = false
    if entries.isEmpty, settings.isEmpty {
      settings = book.elsewhere().search(key)
      isElsewhere = true
    }
    guard !entries.isEmpty || !settings.isEmpty else {
      let near = Reasons.nearest(to: key, among: book.names)
      throw HostFailure(
        .usage, "\(key) is no setting of this mail host",
        hint: near.isEmpty ? "`mailhost explain` lists them all" : "did you mean \(near.joined(separator: ", "))?")
    }
    if isElsewhere, format == .text {
      let text = "This host's files do not have it; another version, or another setting, writes it so:"
      tell(terminal.wrapped(text, indent: 0))
    }
    show(book, entries: entries, settings: settings)
    return 0
  }

  private func show(_ book: ExplanationBook, entries: [SettingsGuide.Entry], settings: [ExplainedSetting]) {
    switch format {
    case .json:
      say(
        JSONText.object([
          ("example_values", .bool(book.tree == nil)),
          ("mailhost_toml", .array(entries.map(book.json))), ("settings", .array(settings.map(\.json))),
        ]).rendered())
    case .text:
      let page = ExplanationPage(isList: key == nil)
      page.show(entries, of: book)
      page.show(settings)
    }
  }
}
