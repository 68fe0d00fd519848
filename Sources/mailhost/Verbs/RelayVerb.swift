import ArgumentParser
import Console
import Glibc
import Linux
import MailHost
import MailbootConfiguration
import MailbootCore
import SecretMemory
import Text

struct RelayVerb: Verb {
  static let configuration = CommandConfiguration(
    commandName: "relay",
    abstract: "On a machine without mailboxes: send all its mail through the mail host, by a login.",
    discussion: """
      `mailhost relay mail.example.org --login relay@example.org` makes postfix send all mail of this machine there, over TLS that is \
      verified, and asks for the password (or reads it from standard input). The login must be relay@ a domain of the mail host: such a \
      one sends to the mail host's own domains alone. Mail to root and other users of this machine goes to --to. Without HOST it is as \
      told last.
      """)

  @Argument(help: ArgumentHelp("The mail host, by the name in its certificate.", valueName: "host"))
  var target: String?

  @Option(help: ArgumentHelp("The login there, such as relay@example.org.", valueName: "email"))
  var login: String?

  @Option(help: "465 (TLS from the first byte, the default) or 587 (STARTTLS).")
  var port: Int?

  @Option(
    help: ArgumentHelp("Who gets the mail to root here; by default postmaster@ the login's domain.", valueName: "email")
  )
  var to: String?

  @Flag(help: "Show what would change, and change nothing.")
  var check = false

  @Flag(help: "Send a mail afterwards, and wait until the mail host has it.")
  var test = false

  @Flag(help: "Ask for the password again.")
  var newPassword = false

  @Option(help: ArgumentHelp("Leave this file as it is, from now on.", valueName: "file"))
  var keep: [String] = []

  @Option(help: ArgumentHelp("Replace this file, whosever it is.", valueName: "file"))
  var overwrite: [String] = []

  @Option(help: ArgumentHelp("Where the templates are.", valueName: "directory", visibility: .private))
  var templates = "/usr/share/mailboot/templates"

  func perform(_ terminal: Terminal) throws(HostFailure) -> Status {
    try requireRoot("relay")
    guard fileStatus(HostOptions.standardPath) == nil else {
      throw HostFailure(
        .failed, "this machine is a mail host itself: there is \(HostOptions.standardPath)",
        hint: "a mail host sends through another one by [smarthost] in it")
    }
    // Before anything is looked at: settings and files can be those of a call that was killed.
    let lock = check ? nil : try HostLock(HostRoot(prefix: ""))
    defer { withExtendedLifetime(lock) {} }
    if !check { try RelayWork.settle(HostRoot(prefix: "")) }
    var work = try RelayWork(try settings()) { readSmallText("\(templates)/\($0).mustache") }
    if work.settings.user != "relay" {
      tell(
        "warning: \(work.settings.login) is no relay@ login: whoever takes its password from this machine can send to anybody through "
          + "the mail host")
    }
    (work.keep, work.overwrite, work.asksAnew) = (Set(keep), Set(overwrite), newPassword)
    let known = Set(work.files.map(\.file.path))
    for path in keep + overwrite where !known.contains(path) {
      throw HostFailure(
        .usage, "\(path) is none of the files that it writes", hint: "`mailhost relay --check` lists them")
    }
    let seen = try work.observe()
    if check {
      PlanText(seen.plan, terminal: Terminal(descriptor: 1), withDiffs: true, command: "mailhost relay").show()
      return seen.plan.isEmpty ? 0 : HostFailure.Kind.undecided.rawValue
    }
    if seen.plan.isEmpty {
      say("nothing to do")
    } else {
      try change(&work, seen, terminal)
    }
    try RelayPassword.dropOthers(work.settings)
    if test { say("\(work.settings.host) has the test mail: \(try RelayTest(settings: work.settings).perform())") }
    return 0
  }

  private func settings() throws(HostFailure) -> RelaySettings {
    let before: RelaySettings?
    do throws(ConfigurationError) {
      let files = try MergedTOML(RelaySettings.path, required: false)
      if let root = files.root { before = try RelaySettings(decoding: root) } else { before = nil }
    } catch {
      var failure = HostFailure(error)
      failure.hint = "mailhost(8) has the keys of \(RelaySettings.path)"
      throw failure
    }
    // Another host has another login, unless it is said.
    guard let host = target ?? before?.host else {
      throw HostFailure(
        .usage, "through which mail host?", hint: "`mailhost relay mail.example.org --login relay@example.org`")
    }
    guard let name = login ?? before?.login else {
      throw HostFailure(.usage, "by which login?", hint: "`mailhost relay \(host) --login relay@example.org`")
    }
    do throws(RelaySettings.Invalid) {
      return try RelaySettings(
        host: host, port: port ?? before?.port, login: name, administrator: to ?? before?.administrator)
    } catch {
      throw HostFailure(.usage, error.text)
    }
  }

  private func change(_ work: inout RelayWork, _ first: RelayWork.Seen, _ terminal: Terminal) throws(HostFailure) {
    var seen = first
    try requireDecided(seen.plan)
    PlanText(seen.plan, terminal: Terminal(descriptor: 1), withDiffs: false, command: nil).show()
    // Asked for before anything is changed.
    let password = seen.needsPassword ? try RelayPassword.ask(work.settings) : nil
    let missing = seen.plan.changes.filter { $0.kind == .package }.map(\.subject)
    if !missing.isEmpty {
      tell("install \(missing.joined(separator: " "))")
      try PackageInstaller(root: work.root).install(missing)
      work.isFresh = missing.contains("postfix")
      seen = try work.observe()
      try requireDecided(seen.plan)
    }
    // In a file of its own, so whatever happens next, the login that is in use keeps its password.
    if let password { try RelayPassword.store(password, work.settings) }
    try decide(work)
    let (generation, texts) = work.generation(seen)
    var applier = RelayApplier(work, seen, generation, texts)
    do {
      try ApplySequence<RelayApplier>(RelayApplier.steps(seen.plan, work.settings)).run(&applier) { step in
        if ![.begin, .stage, .commit].contains(step) { tell(step.description) }
      }
    } catch {
      throw HostFailure(error, hint: "call `mailhost relay` again: it first takes back the rest")
    }
    say("all mail of this machine goes through \(work.settings.host); `mailhost relay --test` sends one")
  }

  private func decide(_ work: RelayWork) throws(HostFailure) {
    guard !(keep + overwrite).isEmpty else { return }
    try explained { () throws(SystemError) in
      try work.store.keep(try work.store.keptPaths().union(keep).subtracting(overwrite))
    }
  }

  private func requireDecided(_ plan: HostPlan) throws(HostFailure) {
    guard !plan.undecided.isEmpty else { return }
    PlanText(plan, terminal: Terminal(descriptor: 1), withDiffs: true, command: "mailhost relay").show()
    throw HostFailure(
      .undecided,
      "nothing was changed: \(plan.undecided.map(\.subject).joined(separator: ", ")) "
        + (plan.undecided.count == 1 ? "needs" : "need") + " your word",
      hint: "--keep or --overwrite, each with the file")
  }
}
