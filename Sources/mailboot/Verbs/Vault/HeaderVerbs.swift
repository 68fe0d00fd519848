import ArgumentParser
import Console
import JSON
import MailbootCore
import MailbootHost
import SecretMemory
import Text

struct BackupHeaderVerb: VaultSubverb {
  static let configuration = CommandConfiguration(
    commandName: "backup-header", abstract: "Save what holds the vault's keys: without it nothing can be decrypted.")

  @OptionGroup var target: VaultTarget
  @Argument(help: "A new file or a directory, outside the vault; without it below /var/lib/mailboot/headers.")
  var file: String?

  func perform(_ work: VaultWork, _ terminal: Terminal) throws(Failure) {
    if work.configuration.vault.kind == .gocryptfs {
      say("saved: \(try work.backUpGocryptfs(to: file))")
    } else {
      let (path, report) = try work.backUpHeader(to: file)
      say("saved: \(path)")
      tell("it has \(count(report.table.keyslots.count, "keyslot")), and was read again: it is sound")
      if report.isBeingRekeyed {
        tell("warning: the vault is being given a new key: this fits it only until `mailboot vault rekey` goes on")
      }
    }
    tell(
      "hint: keep a copy on another machine, too; it opens with the passphrases of today, so keep it as safe as a key")
  }
}

struct CheckHeaderVerb: VaultSubverb {
  static let configuration = CommandConfiguration(
    commandName: "check-header",
    abstract:
      "Look whether the vault's header, or a backup of it, is sound; with a passphrase also whether that opens it.")

  @OptionGroup var target: VaultTarget
  @OptionGroup var key: KeyOptions
  @Argument(help: "A backup; without it the vault's own header.")
  var file: String?
  @Flag(help: "Ask for a passphrase, and see whether it opens (implied by --stdin and --key-file).")
  var open = false
  @Option(help: "text or json.")
  var format = OutputFormat.text

  func perform(_ work: VaultWork, _ terminal: Terminal) throws(Failure) {
    if work.configuration.vault.kind == .gocryptfs { return try checkGocryptfs(work) }
    let (path, report) = try work.checkHeader(file)
    let opened: Int? =
      wantsPassphrase ? try work.testHeader(VaultSecrets(key, work.reactor).existing(), at: path) : nil
    switch format {
    case .json: say(HeaderText(report).json(path, opened: opened).rendered())
    case .text:
      for line in HeaderText(report).lines(path) { say(line) }
      if let opened { say("opens     the passphrase opens keyslot \(opened)") }
    }
    if let flaw = report.flaws.first {
      throw .vault(VaultFailure(.damagedHeader, flaw), device: path)
    }
  }

  private var wantsPassphrase: Bool { open || key.stdin || key.keyFile != nil }

  private func checkGocryptfs(_ work: VaultWork) throws(Failure) {
    let (path, key) = try work.checkGocryptfs(file)
    if wantsPassphrase {
      let passphrase = try VaultSecrets(self.key, work.reactor).existing()
      _ = try work.testGocryptfsKey(passphrase, file: path)
    }
    switch format {
    case .json:
      say(
        JSONText.object([
          ("schema", .integer(1)), ("path", .string(path)), ("sound", .bool(true)),
          ("opens", wantsPassphrase ? .bool(true) : .null),
        ]).rendered())
    case .text:
      say("sound: \(path), scrypt with \(key.memoryKiB >> 10) MiB")
      if wantsPassphrase { say("opens: with this passphrase") }
    }
  }
}

struct RestoreHeaderVerb: VaultSubverb {
  static let configuration = CommandConfiguration(
    commandName: "restore-header", abstract: "Put a backup of the header back; what is there is kept first.",
    discussion: """
      Both sides are shown. The backup of another vault, or one that was cut or altered, is refused. Cut off at any point, the \
      same call again goes on, also without FILE.
      """)

  @OptionGroup var target: VaultTarget
  @Argument(help: "The backup; may be left out when an earlier restore was cut off.")
  var file: String?
  @Option(
    help: ArgumentHelp(
      "Where it goes to, for a vault that the configuration names by UUID or label: without its header it has none.",
      valueName: "path"))
  var device: String?
  @Flag(
    help:
      "Ask nothing, also where the vault's header is gone and nothing shows that this is its device, or where the vault got another key since."
  )
  var force = false

  func perform(_ work: VaultWork, _ terminal: Terminal) throws(Failure) {
    if work.configuration.vault.kind == .gocryptfs { return try restoreGocryptfs(work) }
    let plan = try work.restorePlan(file, device: device, insisting: force)
    for line in HeaderText(plan.backup).lines(plan.file) { tell(line) }
    tell("goes to")
    if let now = plan.now {
      for line in HeaderText(now).lines(plan.target) { tell(line) }
    } else {
      tell("header    \(plan.target): none is left (\(plan.damage?.detail ?? ""))")
    }
    if let now = plan.now, now.volume != plan.backup.volume {
      tell("warning: the data there has another key: with this backup nothing of it could be decrypted")
    }
    if let mark = plan.interrupted {
      tell("a restore that began at \(timestamp(mark.at)) was cut off; it goes on")
    } else if let now = plan.now, now.flaws.isEmpty, now.table.fingerprint == plan.backup.table.fingerprint {
      return say("unchanged: both have the same keys")
    } else {
      try agree(plan)
    }
    let copy = try work.restore(plan)
    say("restored: \(plan.target) from \(plan.file)")
    tell("what was there before: \(copy)")
    tell("hint: see that it opens: `mailboot vault test-key`; passphrases are those of the backup's day again")
  }

  private func agree(_ plan: RestorePlan) throws(Failure) {
    if force { return }
    if plan.now != nil {
      switch confirmation(of: "Put the backup in its place?") {
      case .yes: return
      case .interrupted: throw .interrupted(signal: 2)
      case .no: throw .usage("nothing was changed", hint: nil)
      case .nobodyThere, .noTerminal:
        throw .usage("there is no terminal to ask at: nothing was changed", hint: "--force asks nothing")
      }
    }
    switch typedAnswer(to: "If \(plan.target) is this vault's device, type its UUID as shown above:") {
    case .line(let typed) where typed.lowercased() == plan.backup.table.uuid: return
    case .line: throw .usage("that is not the UUID: nothing was changed", hint: nil)
    case .interrupted: throw .interrupted(signal: 2)
    case .nobodyThere, .noTerminal:
      throw .usage(
        "\(plan.target) has no header that would show whose it is, and there is no terminal to ask at",
        hint: "if it is the vault's device, --force asks nothing")
    }
  }

  private func restoreGocryptfs(_ work: VaultWork) throws(Failure) {
    guard let file else { throw .usage("no backup is named", hint: "`mailboot vault restore-header FILE`") }
    let (path, key) = try work.checkGocryptfs(file)
    tell("backup    \(path), scrypt with \(key.memoryKiB >> 10) MiB")
    if !force {
      switch confirmation(of: "Put it in the place of gocryptfs.conf?") {
      case .yes: break
      case .interrupted: throw .interrupted(signal: 2)
      case .no: throw .usage("nothing was changed", hint: nil)
      case .nobodyThere, .noTerminal:
        throw .usage("there is no terminal to ask at: nothing was changed", hint: "--force asks nothing")
      }
    }
    let copy = try work.restoreGocryptfs(file)
    say("restored: gocryptfs.conf from \(path)")
    if let copy { tell("what was there before: \(copy)") }
  }
}

/// A header for people and for programs.
private struct HeaderText {
  let report: HeaderReport

  init(_ report: HeaderReport) { self.report = report }

  func lines(_ path: String) -> [String] {
    let table = report.table
    let slots = table.keyslots.map { "\($0.number) \($0.kind.name)" }.joined(separator: ", ")
    let sequence = report.copies.compactMap(\.sequence).max().map { ", change \($0)" } ?? ""
    return [
      "header    \(path)", "uuid      \(table.uuid)" + (table.label.map { ", label \($0)" } ?? ""),
      "kind      LUKS\(table.version), \(report.size >> 10) KiB\(sequence)" + date(path),
      "keyslots  \(slots.isEmpty ? "none" : slots)",
      "state     " + (report.flaws.isEmpty ? "sound" : report.flaws.joined(separator: "; ")),
    ]
  }

  /// When a file was written; of a device nobody knows.
  private func date(_ path: String) -> String {
    writtenAt(path).map { ", written \(timestamp($0))" } ?? ""
  }

  func json(_ path: String, opened: Int?) -> JSONText {
    let keys = KeyTableText(report.table).json(nil)
    return .object([
      ("schema", .integer(1)), ("path", .string(path)), ("sound", .bool(report.flaws.isEmpty)),
      ("flaws", .array(report.flaws.map(JSONText.string))),
      ("written", writtenAt(path).map { .string(timestamp($0)) } ?? .null),
      ("luks", .integer(Int64(report.table.version))), ("uuid", .string(report.table.uuid)),
      ("label", .optional(report.table.label)), ("size_bytes", .integer(Int64(report.size))),
      ("sequence", report.copies.compactMap(\.sequence).max().map { .integer(Int64(clamping: $0)) } ?? .null),
      ("keyslots", keys["keyslots"] ?? .null), ("opens", opened.map { .integer(Int64($0)) } ?? .null),
    ])
  }
}

private func count(_ number: Int, _ what: String) -> String { "\(number) \(what)\(number == 1 ? "" : "s")" }
