import ArgumentParser
import Console
import MailbootCore
import MailbootHost
import SecretMemory
import Text

struct GrowVerb: VaultSubverb {
  static let configuration = CommandConfiguration(
    commandName: "grow", abstract: "Make the vault larger while mail goes on.",
    discussion: """
      A vault in a file is extended to --size. A partition takes the free space behind it; a disk or a logical volume that has \
      grown is taken as it is. Then the mapping and the file system follow. Cut anywhere, the next one goes on.
      """)

  @OptionGroup var target: VaultTarget
  @OptionGroup var key: KeyOptions
  @Option(help: ArgumentHelp("Size of the file or partition, such as 20G.", valueName: "size"))
  var size: String?
  @Flag(help: "Only say what would be done.")
  var dryRun = false

  func perform(_ work: VaultWork, _ terminal: Terminal) throws(Failure) {
    var wanted: UInt64?
    if let size {
      guard let bytes = ByteCount.parse(size), bytes > 0 else {
        throw .usage("--size \(size) is no size", hint: "such as 20G or 512M")
      }
      wanted = bytes
    }
    let growth = try work.planGrowth(to: wanted)
    for words in growth.unfinished { tell("an earlier run was cut: \(words)") }
    if growth.steps.isEmpty { return say("nothing to grow: every layer is as large as the one below") }
    if dryRun {
      for step in growth.steps { say(step.words) }
      return
    }
    let passphrase = growth.takesPassphrase ? try VaultSecrets(key, work.reactor).existing() : try noSecret()
    // A wrong one is found before anything is changed.
    if growth.takesPassphrase { _ = try work.testKey(passphrase) }
    try work.alone(Self.words) { () throws(Failure) in try work.grow(try work.planGrowth(to: wanted), passphrase) }
    say("grown")
    for fact in try work.info() where ["size", "filesystem_size"].contains(fact.key) {
      say("  \((fact.label ?? "").padded(9)) \(fact.text)")
    }
  }
}

/// For what takes none after all.
func noSecret() throws(Failure) -> SecretBytes {
  do { return try SecretBytes(capacity: 1) } catch { throw .system("\(error)") }
}

struct TrimVerb: VaultSubverb {
  static let configuration = CommandConfiguration(
    commandName: "trim", abstract: "Whether what is deleted is given back to the disk, or do it now.",
    discussion: """
      `on` stores it in the header and lets the open vault do it; `off` takes it back; `now` gives back what is free. \
      Whoever sees the disk then sees which parts of the vault are in use.
      """)

  @OptionGroup var target: VaultTarget
  @OptionGroup var key: KeyOptions
  @Argument(help: "on, off or now; nothing: say how it is.")
  var what: TrimWord?

  enum TrimWord: String, ExpressibleByArgument, CaseIterable { case on, off, now }

  func perform(_ work: VaultWork, _ terminal: Terminal) throws(Failure) {
    let before = try work.trimPolicy()
    switch what {
    case nil:
      say(before.isStored ? "on: discards are let through" : "off: discards are kept back")
      if let live = before.isLive, live != before.isStored {
        say("the open vault is still \(live ? "on" : "off")")
      }
    case .now?:
      say(visibleInLine(try work.alone(Self.words) { () throws(Failure) in try work.trimNow() }))
      if let old = before.fileBytes, let new = try work.trimPolicy().fileBytes, new < old {
        say("the file has given back \(ByteCount.text(old - new))")
      }
    case .on?, .off?:
      let wanted = what == .on
      if before.isStored == wanted, before.isLive ?? wanted == wanted {
        return say("unchanged: \(wanted ? "on" : "off")")
      }
      let passphrase = try VaultSecrets(key, work.reactor).existing()
      try work.alone(Self.words) { () throws(Failure) in try work.setTrim(wanted, passphrase) }
      say(wanted ? "on" : "off")
      if wanted { tell("whoever sees the disk now sees which parts of the vault are in use, and how full it is") }
    }
  }
}
