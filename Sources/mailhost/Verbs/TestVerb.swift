import ArgumentParser
import Console
import JSON
import MailHostProof
import MailbootCore
import Text

struct TestVerb: Verb {
  static let configuration = CommandConfiguration(
    commandName: "test", abstract: "Prove by mail and by real protocols that the host does what it promises.",
    discussion: """
      It takes some seconds, a minute at most, and touches no mail and no user of yours: its own users exist meanwhile. The last result is \
      shown by `mailboot status`, with its age. Exit code 1 when something failed; what could not be tried is told, and is no failure.
      """)

  enum Format: String, CaseIterable, ExpressibleByArgument {
    case text, json
  }

  @OptionGroup var host: HostOptions

  @Option(help: "How the result is printed.")
  var format = Format.text

  @Flag(help: "Really stop rspamd for a moment: mail that comes meanwhile is put off.")
  var stopFilter = false

  @Flag(help: "Print only what failed, for cron.")
  var quiet = false

  func perform(_ terminal: Terminal) throws(HostFailure) -> Status {
    let settings = try host.settings()
    let screen = ProofScreen(terminal: Terminal(descriptor: 1), showsAll: !quiet)
    let record = try HostTest(settings: settings, terminal: terminal).perform(stopsFilter: stopFilter) { proof in
      if format == .text { screen.show(proof) }
    }
    switch format {
    case .text: screen.conclude(record)
    case .json: say(record.json().rendered())
    }
    return record.failed.isEmpty ? 0 : HostFailure.Kind.failed.rawValue
  }
}

/// The proofs as a person reads them: a line each, and below it what to do about one that failed.
struct ProofScreen {
  let terminal: Terminal
  let showsAll: Bool

  func show(_ proof: Proof) {
    guard showsAll || proof.result == .fail else { return }
    let sign =
      switch proof.result {
      case .pass: terminal.coloured(terminal.hasSigns ? "✓   " : "ok  ", .green)
      case .fail: terminal.coloured(terminal.hasSigns ? "✗   " : "FAIL", .red)
      case .skip: terminal.coloured(terminal.hasSigns ? "–   " : "skip", .yellow)
      }
    let name = proof.name.padded(22)
    guard proof.result == .fail else {
      // The sign's colour takes no room.
      say("\(sign) " + terminal.fitted("     \(name) \(visibleInLine(proof.detail))").dropFirst(5))
      return
    }
    say("\(sign) \(name)")
    say("     " + terminal.wrapped("     " + visibleInLine(proof.detail), indent: 5).dropFirst(5))
    if let hint = proof.hint { say("     " + terminal.wrapped("     hint: " + hint, indent: 5).dropFirst(5)) }
  }

  func conclude(_ record: HostTestRecord) {
    guard showsAll else { return }
    let skipped = record.count(.skip)
    say(
      "\(record.count(.pass)) passed, \(record.failed.count) failed" + (skipped > 0 ? ", \(skipped) not tried" : "")
        + ", in \(decimal(record.seconds, places: 1)) s")
  }
}
