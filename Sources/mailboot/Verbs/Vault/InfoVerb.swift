import ArgumentParser
import Console
import JSON
import MailbootCore
import MailbootHost
import Text

struct InfoVerb: VaultSubverb {
  static let configuration = CommandConfiguration(
    commandName: "info", abstract: "What the vault is: kind, cipher, sizes, mount, what is unfinished; changes nothing."
  )

  @OptionGroup var target: VaultTarget
  @Option(help: "text or json.")
  var format = OutputFormat.text

  func perform(_ work: VaultWork, _ terminal: Terminal) throws(Failure) {
    let facts = try work.info()
    switch format {
    case .json: say(JSONText.object(facts.map { ($0.key, $0.json) }).rendered())
    case .text:
      for fact in facts {
        guard let label = fact.label else { continue }
        say(terminal.fitted("\(label.padded(11)) \(visibleInLine(fact.text))"))
      }
    }
  }
}

struct CheckVerb: VaultSubverb {
  static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Check header and file system without writing anything.",
    discussion: """
      A mounted file system is at work: of it only what the kernel has counted is said. With gocryptfs `--contents` reads \
      every name and all contents, for which it takes the passphrase.
      """)

  @OptionGroup var target: VaultTarget
  @OptionGroup var key: KeyOptions
  @Flag(help: "gocryptfs: read all of it (asks for the passphrase).")
  var contents = false
  @Option(help: "text or json.")
  var format = OutputFormat.text

  func perform(_ work: VaultWork, _ terminal: Terminal) throws(Failure) {
    if contents && !work.checkTakesPassphrase {
      throw .usage("--contents is for gocryptfs; other kinds are checked in full while unmounted", hint: nil)
    }
    var found = try work.check()
    if contents { found.append(try work.checkContents(try VaultSecrets(key, work.reactor).existing())) }
    switch format {
    case .json:
      say(
        JSONText.array(
          found.map { finding in
            .object([
              ("subject", .string(finding.subject)), ("verdict", .string(finding.verdict.rawValue)),
              ("detail", .string(finding.detail)),
              ("evidence", .array(finding.evidence.prefix(100).map { .string($0) })),
            ])
          }
        ).rendered())
    case .text:
      for finding in found {
        let mark = finding.verdict == .bad ? "FAIL" : finding.verdict == .skipped ? "skip" : finding.verdict.rawValue
        say("  \(mark.padded(4))  \(finding.subject.padded(13)) \(visible(finding.detail))")
        for line in finding.evidence.suffix(10) { say("        | \(visibleInLine(line))") }
      }
    }
    let bad = found.filter { $0.verdict == .bad }
    guard bad.isEmpty else {
      throw .reported(
        FailureReport(
          code: ExitCode.verification.rawValue,
          summary: bad.map { "\($0.subject): \($0.detail)" }.joined(separator: "; "),
          evidence: [], hint: "have a backup before you repair; nothing has been changed"))
    }
  }
}
