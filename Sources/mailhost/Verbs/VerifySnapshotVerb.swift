import ArgumentParser
import Console
import Glibc
import JSON
import MailHost
import Text

/// How a snapshot is opened.
struct SnapshotOptions: ParsableArguments {
  @Option(help: ArgumentHelp("A file with the secret key of age(1) that it was encrypted for.", valueName: "file"))
  var identity: String?

  @Flag(help: "Read the passphrase from standard input; one newline at its end is dropped.")
  var stdin = false

  func read(_ file: String) throws(HostFailure) -> Snapshot {
    keepOutOfDumps()
    return try SnapshotFile(path: file).read(identity: identity, fromStandardInput: stdin)
  }
}

struct VerifySnapshotVerb: Verb {
  static let configuration = CommandConfiguration(
    commandName: "verify-snapshot", abstract: "Look whether a snapshot is whole, and what is in it.",
    discussion: """
      Decrypts all of it and looks at every file, the account database, the keys and the settings in it. Writes nothing, needs no root \
      and no mail host: it can be called wherever the snapshots are kept.
      """)

  @OptionGroup var opening: SnapshotOptions

  @Option(help: "text or json.")
  var format = OutputFormat.text

  @Argument(help: ArgumentHelp("The snapshot.", valueName: "file"))
  var file: String

  func perform(_ terminal: Terminal) throws(HostFailure) -> Status {
    let snapshot = try opening.read(file)
    let inspection = SnapshotInspection(snapshot)
    switch format {
    case .json: say(SnapshotText.json(snapshot, inspection, [("file", .string(file))]))
    case .text:
      say(visible(SnapshotText.title(snapshot, now: Double(time(nil)))))
      for line in SnapshotText.lines(inspection) { say(visible(line)) }
      for note in inspection.notes { say(Terminal(descriptor: 1).wrapped(visible("note: \(note)"), indent: 2)) }
      if inspection.problems.isEmpty { say("whole: every file is as it was saved") }
    }
    guard inspection.problems.isEmpty else {
      var failure = HostFailure(
        .failed, "", hint: "it opens, and what else is in it can be restored; see `mailhost restore`")
      failure.texts = inspection.problems
      throw failure
    }
    return 0
  }
}
