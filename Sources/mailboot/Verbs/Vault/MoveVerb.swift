import ArgumentParser
import Console
import Glibc
import Linux
import MailbootConfiguration
import MailbootCore
import MailbootHost
import Text

struct MoveVerb: VaultSubverb {
  static let configuration = CommandConfiguration(
    commandName: "move", abstract: "Move everything into another vault, of any kind, and use that one.",
    discussion: """
      The new one is made first: `mailboot vault create ... --next`. Most is copied while mail goes on, the rest and the \
      verification while it is stopped. The old one is kept as it was. Cut anywhere, the next `move` goes on.
      """)

  @OptionGroup var target: VaultTarget
  @OptionGroup var key: KeyOptions
  @Flag(help: "End the processes that use the vault and belong to no configured service.")
  var kill = false
  @Flag(help: "Use the vault before the last move again; what has come since stays in the other one.")
  var back = false
  @Flag(help: "Forget the vault before the last move.")
  var forget = false
  @Flag(help: "With --forget: make it unreadable for ever.")
  var erase = false
  @Flag(help: "Do not ask.")
  var yes = false

  func validate() throws {
    if back && forget { throw ValidationError("only one of --back and --forget can be given") }
    if erase && !forget { throw ValidationError("--erase goes with --forget") }
  }

  /// The vault before the last move; nil: none is known.
  static func kept(_ paths: MovePaths) -> Configuration.Vault? {
    guard let bytes = readSmallFile(paths.previous, flags: O_NOFOLLOW) else { return nil }
    let root = (try? MergedTOML([(paths.previous, bytes)]))?.root
    return root.flatMap { try? Configuration(decoding: $0) }?.vault
  }

  func perform(_ work: VaultWork, _ terminal: Terminal) throws(Failure) {
    if let named = target.vault, named != target.load(terminal)?.vault.name {
      throw .usage(
        "only the first vault can be moved, and \(named) is a further one",
        hint: "make another one with `--name`, copy what is in it with `rsync -aHAXS`, then correct [[vault]]")
    }
    let paths = MovePaths(main: target.common.config)
    if forget { return try forgetPrevious(work, paths) }
    let lines = ProgressLines(terminal)
    work.reactor.onTick = { lines.refresh() }
    letInsistingLeave(work.reactor, lines)
    defer { lines.clear() }
    if back { return try goBack(work, paths, lines, terminal) }
    guard paths.has(paths.next) else {
      if paths.has(paths.previous), try finishSwitch(work, paths, lines, terminal) { return }
      throw .usage(
        "no new vault has been made to move to: there is no \(paths.next)",
        hint: "make one: `mailboot vault create --file /var/vault.img --size 20G --next`,"
          + " `mailboot vault create DEVICE --next` or `mailboot vault create --type gocryptfs --directory DIR --next`")
    }
    let move = try mover(work, with: paths.next, paths, lines, terminal)
    try move.refuse()
    let passphrase = try VaultSecrets(key, work.reactor).existing("Passphrase of the new vault: ")
    let counted = try move.run(passphrase, kill: kill)
    lines.clear()
    say("moved: \(counted)")
    tell(
      "the vault before is closed and as it was (\(paths.previous)): `mailboot vault move --back` uses it again,"
        + " `mailboot vault move --forget` forgets it")
  }

  private func mover(
    _ work: VaultWork, with table: String, _ paths: MovePaths, _ lines: ProgressLines, _ terminal: Terminal
  ) throws(Failure) -> VaultMove {
    try VaultMove(
      work, next: try configuration(with: table, paths), paths: paths, report: { lines.take($0) },
      progress: { text in
        guard terminal.isLive else { return }
        lines.clear()
        emit("\r\u{1b}[K" + terminal.fitted("  copy  " + visibleInLine(text)), to: 2)
      })
  }

  /// The configuration as it is when `table` is the drop-in that counts.
  private func configuration(with table: String, _ paths: MovePaths) throws(Failure) -> Configuration {
    guard let bytes = readSmallFile(table) else { throw .system("\(table): \(errnoText())") }
    do {
      return completed(try target.settings(with: bytes, named: table, at: paths.current))
    } catch {
      throw .configuration(error)
    }
  }

  /// A cut between the switch and the closing of the one before.
  private func finishSwitch(
    _ work: VaultWork, _ paths: MovePaths, _ lines: ProgressLines, _ terminal: Terminal
  ) throws(Failure) -> Bool {
    let previous = try configuration(with: paths.previous, paths)
    let move = try mover(work, with: paths.previous, paths, lines, terminal)
    guard move.isCutAfterSwitch(previous) else { return false }
    tell("a move was cut behind the switch: the vault before is closed now, the new one opened")
    let passphrase = try VaultSecrets(key, work.reactor).existing("Passphrase of the new vault: ")
    try move.finish(previous, passphrase, kill: kill)
    lines.clear()
    say("moved")
    return true
  }

  private func goBack(
    _ work: VaultWork, _ paths: MovePaths, _ lines: ProgressLines, _ terminal: Terminal
  ) throws(Failure) {
    guard paths.has(paths.previous) else {
      throw .usage("no vault before this one is known: there is no \(paths.previous)", hint: nil)
    }
    let move = try mover(work, with: paths.previous, paths, lines, terminal)
    switch try move.newerFiles() {
    case nil: tell("the vault in use is closed: what came into it since the move cannot be counted, and stays in it")
    case 0?: tell("no file in the vault in use is newer than the move")
    case let count?:
      tell("\(count) files in the vault in use are newer than the move: that mail stays in it, and is not copied back")
    }
    try ask("Use the vault before again?")
    let passphrase = try VaultSecrets(key, work.reactor).existing("Passphrase of the vault before: ")
    try move.back(passphrase, kill: kill)
    lines.clear()
    say("the vault before is in use again; the other one is kept as \(paths.previous)")
  }

  private func forgetPrevious(_ work: VaultWork, _ paths: MovePaths) throws(Failure) {
    guard paths.has(paths.previous) else { return say("unchanged: no vault before this one is known") }
    let previous = try configuration(with: paths.previous, paths)
    let device = previous.vault.shownDevice ?? "?"
    if erase {
      try ask("Make \(device) unreadable for ever?")
      try work.alone("vault move --forget") { () throws(Failure) in try work.erase(previous, uuid: paths.previousUUID) }
      say("\(device) is erased")
    }
    try paths.forget()
    say("forgotten")
    guard !erase else { return }
    switch previous.vault.kind {
    case .luks:
      tell("what is on \(device) is still there: `cryptsetup erase \(device)` makes it unreadable for ever")
    case .gocryptfs: tell("what is in \(device) is still there: `rm -r \(shellWord(device))` removes it")
    case .veracrypt, .bitlocker, .plain: tell("what is on \(device) is still there")
    }
  }

  private func ask(_ question: String) throws(Failure) {
    if yes { return }
    switch confirmation(of: question) {
    case .yes: return
    case .interrupted: throw .interrupted(signal: SIGINT)
    case .no: throw .usage("nothing has been changed", hint: nil)
    case .nobodyThere, .noTerminal:
      throw .usage("there is no terminal to ask: nothing has been changed", hint: "`--yes` answers it")
    }
  }
}
