import ArgumentParser
import Console
import Linux
import MailHost
import Text

struct ApplyVerb: Verb {
  static let configuration = CommandConfiguration(
    commandName: "apply", abstract: "Make the host as the settings say, and test it.",
    discussion: """
      Installs what is missing, writes the files, lets the daemons read them, and tests that mail goes in and out. If anything fails \
      on the way, the files are as before again. With nothing to do it does nothing.
      """)

  @OptionGroup var host: HostOptions

  @Option(help: ArgumentHelp("Take the lines that were edited in this file into mailhost.toml.d.", valueName: "file"))
  var adopt: [String] = []

  @Option(help: ArgumentHelp("Leave this file as it is, from now on.", valueName: "file"))
  var keep: [String] = []

  @Option(help: ArgumentHelp("Replace this file, whosever it is.", valueName: "file"))
  var overwrite: [String] = []

  @Flag(help: "Do not test afterwards.")
  var noTest = false

  func perform(_ terminal: Terminal) throws(HostFailure) -> Status {
    if host.prefix.isEmpty { try requireRoot("apply") }
    var work = try HostWork(host)
    let lock = try HostLock(work.root)
    defer { withExtendedLifetime(lock) {} }
    try settle(work) { tell("note: \($0)") }
    for file in adopt { try EditAdoption(work: work, terminal: terminal).adopt(file) }
    if !adopt.isEmpty { work = try HostWork(host) }
    try decide(work)
    let decisions = HostObserver.Decisions(keep: Set(keep), overwrite: Set(overwrite + adopt))
    var seen = try work.observe(isFresh: false, decisions)
    guard !seen.plan.isEmpty else {
      say("nothing to do")
      return 0
    }
    try requirePossible(seen.plan)
    try prepare(&work, &seen, decisions, terminal)
    try requirePossible(seen.plan)
    guard seen.plan.isDue || seen.isOpen else {
      PlanText(seen.plan, terminal: Terminal(descriptor: 1), withDiffs: false).show()
      return 0
    }
    let (generation, texts) = try work.nextGeneration(seen, reason: "apply")
    let run = ApplyRun(work: work, seen: seen, terminal: terminal, tests: !noTest)
    try run.perform(generation, texts)
    if !seen.isOpen {
      say("The vault is closed. What is in it is made when it is opened: run `mailboot`, then `mailhost test`.")
    }
    return 0
  }

  /// Records what is to stay as it is, and what is not any more.
  private func decide(_ work: HostWork) throws(HostFailure) {
    guard !(keep + overwrite + adopt).isEmpty else { return }
    let known = Set(work.files.map(\.file.path))
    for path in keep + overwrite where !known.contains(path) {
      throw HostFailure(.usage, "\(path) is none of the files that mailhost writes", hint: "`mailhost plan` lists them")
    }
    try explained { () throws(SystemError) in
      let kept = try work.store.keptPaths().union(keep).subtracting(overwrite + adopt)
      try work.store.keep(kept)
    }
  }

  private func requirePossible(_ plan: HostPlan) throws(HostFailure) {
    guard plan.undecided.isEmpty else {
      PlanText(plan, terminal: Terminal(descriptor: 1), withDiffs: true).show()
      throw HostFailure(
        .undecided,
        "nothing was changed: \(plan.undecided.map(\.subject).joined(separator: ", ")) "
          + (plan.undecided.count == 1 ? "needs" : "need") + " your word",
        hint: "--adopt, --keep or --overwrite, each with the file")
    }
    if let first = plan.obstacles.first {
      var failure = HostFailure(.failed, first.text, hint: "nothing was changed; \(first.hint)")
      failure.texts = plan.obstacles.map(\.text)
      throw failure
    }
  }

  /// Packages and users come first: whose the rest is, and for which versions, is known only then.
  private func prepare(
    _ work: inout HostWork, _ seen: inout HostObserver.Observation, _ decisions: HostObserver.Decisions,
    _ terminal: Terminal
  ) throws(HostFailure) {
    let first = seen.plan.changes.filter { [.package, .group, .user].contains($0.kind) }
    guard !first.isEmpty else { return }
    let packages = first.filter { $0.kind == .package }.map(\.subject)
    var steps: [ApplyStep] = packages.isEmpty ? [] : [.install(packages)]
    steps += first.filter { $0.kind == .group }.map { .makeGroup($0.subject) }
    steps += first.filter { $0.kind == .user }.map { .makeUser($0.subject) }
    let (generation, texts) = try work.nextGeneration(seen, reason: "apply")
    try ApplyRun(work: work, seen: seen, terminal: terminal, tests: false).perform(steps, generation, texts)
    // Daemons whose package came just now have nobody's configuration.
    let isFresh = packages.contains("postfix") || packages.contains("dovecot-core")
    try work.refresh()
    seen = try work.observe(isFresh: isFresh, decisions)
  }
}
