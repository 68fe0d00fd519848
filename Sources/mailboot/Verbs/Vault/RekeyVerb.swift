import ArgumentParser
import Console
import Glibc
import MailbootCore
import MailbootHost
import Text

struct RekeyVerb: VaultSubverb {
  static let configuration = CommandConfiguration(
    commandName: "rekey", abstract: "Give the vault a new key and encrypt it anew, while mail goes on.",
    discussion: """
      For when somebody may have had the key itself, or a header with an old passphrase: changing a passphrase does not \
      help then. Takes as long as reading and writing the whole device. Ctrl-C stops it at a safe point; it, an end of the \
      terminal and a power cut lose nothing, and the next `mailboot vault rekey` goes on.
      """)

  @OptionGroup var target: VaultTarget
  @OptionGroup var key: KeyOptions
  @Flag(
    help: "Only the passphrase that is given is to open the vault afterwards; the other keyslots go with the old key.")
  var dropOtherKeys = false

  func perform(_ work: VaultWork, _ terminal: Terminal) throws(Failure) {
    let state = try work.rekeyState()
    try refuseOtherKeys(state)
    if state.isBegun {
      tell("one has begun" + (state.isCut ? ", and was cut while it wrote" : "") + ": this goes on with it")
    }
    let passphrase = try VaultSecrets(key, work.reactor).existing()
    let meter = Meter(terminal)
    let done = try work.alone(Self.words) { () throws(Failure) in
      // Somebody may have added one while the question stood.
      try refuseOtherKeys(try work.rekeyState())
      return try work.rekey(passphrase) { meter.take($0) }
    }
    meter.end()
    guard done else {
      throw .reported(
        FailureReport(
          code: ExitCode.interrupted.rawValue, summary: "stopped at a safe point; the vault can be used as ever",
          evidence: [], hint: "`mailboot vault rekey` goes on from there"))
    }
    say("the vault has a new key; its passphrase is the same")
    tell("every header backup of before opens nothing any more: make a new one (`mailboot vault backup-header`)")
  }

  private func refuseOtherKeys(_ state: VaultWork.RekeyState) throws(Failure) {
    guard state.otherKeyslots > 0 && !state.isBegun && !dropOtherKeys else { return }
    throw .usage(
      "\(state.otherKeyslots) other \(state.otherKeyslots == 1 ? "keyslot holds" : "keyslots hold") the old key, and nobody"
        + " can put the new one there without their passphrases or tokens",
      hint: "`--drop-other-keys` lets them go; then make them anew (`mailboot vault add-key`, `enroll`)")
  }

  /// One line on a terminal, else a line now and then.
  private final class Meter {
    private let terminal: Terminal
    private let begun = Reactor.monotonic()
    private var first: UInt64?
    private var said = 0.0

    init(_ terminal: Terminal) { self.terminal = terminal }

    func take(_ line: RekeyLine) {
      let now = Reactor.monotonic()
      let start = first ?? line.done
      first = start
      guard line.all > 0 else { return }
      var text =
        "  \(Int(Double(line.done) / Double(line.all) * 100)) %  \(ByteCount.text(line.done)) of \(ByteCount.text(line.all))"
      if now - begun > 1, line.done > start {
        let rate = Double(line.done - start) / (now - begun)
        text += "  \(ByteCount.text(UInt64(rate)))/s  \(age(Double(line.all - line.done) / rate)) left"
      }
      if terminal.isLive {
        emit("\r\u{1b}[K" + terminal.fitted(text), to: 2)
      } else if now - said >= 60 || said == 0 {
        said = now
        tell(text)
      }
    }

    func end() {
      if terminal.isLive { emit("\r\u{1b}[K", to: 2) }
    }
  }
}
