import ArgumentParser
import Console
import MailbootCore
import MailbootHost
import SecretMemory
import Text

/// How much a new passphrase's key derivation may cost.
struct CostOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Memory of the smallest machine that is to open the vault, such as 2G or 512M; without it this one's. The key derivation takes"
        + " at most a quarter of it.", valueName: "size"))
  var memory: String?

  func totalMemoryKiB() throws(Failure) -> Int? {
    guard let memory else { return nil }
    guard let bytes = ByteCount.parse(memory), bytes >= 1 << 20 else {
      throw .usage("--memory \(memory) is no size", hint: "such as 2G or 512M")
    }
    return Int(bytes >> 10)
  }
}

/// What is said after each change of a key.
func sayHeaderChanged(removed: Bool) {
  tell("hint: the header has changed; save it anew: `mailboot vault backup-header`")
  if removed { tell("note: backups of the header from before still open with what was removed: destroy them") }
}

func sayCleared(_ keyslots: [Int]) {
  guard !keyslots.isEmpty else { return }
  let list = keyslots.map(String.init).joined(separator: ", ")
  tell("a change that was cut off is finished: keyslot \(list) is free")
}

struct AddKeyVerb: VaultSubverb {
  static let configuration = CommandConfiguration(
    commandName: "add-key", abstract: "Add a passphrase; those that are there stay.")

  @OptionGroup var target: VaultTarget
  @OptionGroup var key: KeyOptions
  @OptionGroup var newKey: NewKeyOptions
  @OptionGroup var cost: CostOptions

  func perform(_ work: VaultWork, _ terminal: Terminal) throws(Failure) {
    try requireKeyslots(work)
    let memory = try cost.totalMemoryKiB()
    let secrets = VaultSecrets(key, new: newKey, work.reactor)
    let existing = try secrets.existing()
    let new = try secrets.new()
    if terminal.isLive { tell("this takes some seconds ...") }
    switch try work.addKey(new, openedBy: existing, totalMemoryKiB: memory) {
    case .changed(let keyslot, _, let cleared, true):
      sayCleared(cleared)
      say("unchanged: this passphrase opens keyslot \(keyslot ?? 0) already")
    case .changed(let keyslot, _, let cleared, false):
      sayCleared(cleared)
      say("added: keyslot \(keyslot ?? 0)")
      sayHeaderChanged(removed: false)
    case .same(let keyslot): say("unchanged: this passphrase opens keyslot \(keyslot ?? 0) already")
    }
  }
}

/// gocryptfs has one passphrase and no way to another.
func requireKeyslots(_ work: VaultWork) throws(Failure) {
  guard work.configuration.vault.kind != .luks else { return }
  let isGocryptfs = work.configuration.vault.kind == .gocryptfs
  throw .usage(
    "a vault of type \"\(work.configuration.vault.kind.rawValue)\" has no keyslots"
      + (isGocryptfs ? ": it opens with one passphrase only" : ""),
    hint: isGocryptfs ? "`mailboot vault change-key` changes it" : nil)
}

struct ChangeKeyVerb: VaultSubverb {
  static let configuration = CommandConfiguration(
    commandName: "change-key", abstract: "Put a new passphrase in the place of one.",
    discussion: """
      The new one is added, and the vault's key is opened with it, before the old one goes. Cut off at any point one of them opens \
      the vault, and the same call again finishes.
      """)

  @OptionGroup var target: VaultTarget
  @OptionGroup var key: KeyOptions
  @OptionGroup var newKey: NewKeyOptions
  @OptionGroup var cost: CostOptions

  func perform(_ work: VaultWork, _ terminal: Terminal) throws(Failure) {
    let memory = try cost.totalMemoryKiB()
    let secrets = VaultSecrets(key, new: newKey, work.reactor)
    let existing = try secrets.existing("Passphrase to be changed: ")
    let new = try secrets.new()
    if terminal.isLive { tell("this takes some seconds ...") }
    switch try work.changeKey(existing, to: new, totalMemoryKiB: memory) {
    case .same: say("unchanged: the new passphrase is the old one")
    case .changed(let keyslot, nil, let cleared, true):
      sayCleared(cleared)
      say("unchanged: the new passphrase opens \(place(keyslot)) already, and the old one opens nothing")
    case .changed(let keyslot, let removed, let cleared, let wasThere):
      sayCleared(cleared)
      if wasThere { tell("the new passphrase was there already: a change that was cut off is finished") }
      say("changed: \(place(keyslot))" + (removed.map { ", keyslot \($0) is free" } ?? ""))
      sayHeaderChanged(removed: true)
    }
  }

  private func place(_ keyslot: Int?) -> String { keyslot.map { "keyslot \($0)" } ?? "the vault" }
}

struct RemoveKeyVerb: VaultSubverb {
  static let configuration = CommandConfiguration(
    commandName: "remove-key", abstract: "Remove a keyslot, by its number or by the passphrase that opens it.",
    discussion: """
      Never the last one that opens the vault, nor the last one that a person can type, without --force.
      """)

  @OptionGroup var target: VaultTarget
  @OptionGroup var key: KeyOptions
  @Argument(help: "The keyslot's number, see `mailboot vault keys`; without it a passphrase is asked for.")
  var keyslot: Int?
  @Flag(help: "Also when nothing, or nothing but a token, is left to open the vault.")
  var force = false

  func perform(_ work: VaultWork, _ terminal: Terminal) throws(Failure) {
    try requireKeyslots(work)
    let number: Int
    if let keyslot {
      number = keyslot
    } else {
      let passphrase = try VaultSecrets(key, work.reactor).existing("Passphrase to be removed: ")
      do throws(Failure) {
        number = try work.testKey(passphrase).keyslot
      } catch {
        // One whose removal was cut off opens nothing any more, and its keyslot is still to be freed.
        if case .passphraseRefused = error { try finishRemovals(work) }
        throw error
      }
    }
    var kind = Keyslot.Kind.passphrase
    var removal = KeyRemoval.harmless
    let cleared = try work.removeKey(number) { (table) throws(Failure) in
      guard let slot = table.keyslots.first(where: { $0.number == number }) else {
        throw .usage("keyslot \(number) is empty", hint: "see `mailboot vault keys`")
      }
      kind = slot.kind
      removal = KeyRemoval(of: number, in: table.keyslots)
      if removal.needsForce && !force { throw refusal(removal, number) }
    }
    sayCleared(cleared)
    say("removed: keyslot \(number) (\(kind.name))")
    if removal == .leavesRecovery {
      tell("warning: no passphrase is left: the recovery key is the only thing that anybody can type")
    }
    sayHeaderChanged(removed: true)
  }

  private func finishRemovals(_ work: VaultWork) throws(Failure) {
    guard let left = try work.keyTable(measured: false).keyslots.first(where: { $0.kind == .unfinished }) else {
      return
    }
    let cleared = try work.removeKey(left.number) { (table) throws(Failure) in
      guard table.keyslots.contains(where: { $0.number == left.number && $0.kind == .unfinished }) else {
        throw .usage("keyslot \(left.number) has changed meanwhile", hint: "see `mailboot vault keys`")
      }
    }
    sayCleared(cleared + [left.number])
    tell("if it was this passphrase's, all is done: it opens nothing any more")
  }

  private func refusal(_ removal: KeyRemoval, _ number: Int) -> Failure {
    switch removal {
    case .leavesTokens(let kinds):
      let names = Set(kinds.map(\.name)).sorted().joined(separator: ", ")
      return .usage(
        "without keyslot \(number) only \(names) would open the vault: what happens to that happens to the mail",
        hint:
          "add a passphrase or a recovery key first (`mailboot vault enroll recovery`); --force removes it all the same"
      )
    default:
      return .usage(
        "keyslot \(number) is the last one that opens the vault: without it everything in there is lost",
        hint: "add another one first (`mailboot vault add-key`); --force destroys the vault's last key")
    }
  }
}
