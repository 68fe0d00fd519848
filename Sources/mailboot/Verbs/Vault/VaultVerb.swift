import ArgumentParser
import Console
import Linux
import MailbootConfiguration
import MailbootCore
import MailbootHost
import SecretMemory
import Text

/// `mailboot vault`: the vault's life beside unlock and lock.
struct VaultVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "vault", abstract: "Make, key, save, grow and move the vault.",
    subcommands: [
      CreateVerb.self, KeysVerb.self, AddKeyVerb.self, ChangeKeyVerb.self, RemoveKeyVerb.self, TestKeyVerb.self,
      EnrollVerb.self, BackupHeaderVerb.self, RestoreHeaderVerb.self, CheckHeaderVerb.self, InfoVerb.self,
      CheckVerb.self, GrowVerb.self, TrimVerb.self, RekeyVerb.self, MoveVerb.self,
    ])
}

/// Which vault a verb of `mailboot vault` is for.
struct VaultTarget: ParsableArguments {
  @OptionGroup var common: ConfigurationOption
  @Option(help: ArgumentHelp("The vault, where there are several; else the first.", valueName: "name"))
  var vault: String?

  func load(_ terminal: Terminal) -> Configuration? { common.load(terminal) }

  /// As if the vault that is meant were the only one.
  func selected(_ settings: Configuration) throws(Failure) -> Configuration {
    guard let vault else { return settings }
    guard let selected = settings.selecting(vault: vault) else {
      throw .usage(
        "there is no vault \(vault)", hint: "known: " + settings.vaults.map(\.name).joined(separator: ", "))
    }
    return selected
  }

  /// The whole configuration as it would be with a drop-in.
  /// - Parameters:
  ///   - name: what mistakes in it are said of.
  ///   - path: where it would stand: drop-ins come in the order of their names, after the main file.
  func settings(
    with bytes: [UInt8], named name: String, at path: String
  ) throws(ConfigurationError) -> Configuration {
    let main = common.config ?? ConfigurationFiles.standardPath
    var names = try MergedTOML(main, required: common.config != nil).files
    if !names.contains(path) {
      names.insert(path, at: names.firstIndex { $0.hasPrefix(main + ".d/") && $0 > path } ?? names.endIndex)
    }
    let files = names.map { $0 == path ? (name: name, bytes: bytes) : (name: $0, bytes: readSmallFile($0) ?? []) }
    // As the configuration itself is read.
    let root = try MergedTOML(files, merge: { $1.layered(over: $0) }).root
    return try root.map { root throws(ConfigurationError) in try Configuration(decoding: root) } ?? Configuration()
  }
}

/// A verb of `mailboot vault`.
protocol VaultSubverb: Verb {
  var target: VaultTarget { get }
  /// As it is written, behind `mailboot`.
  static var words: String { get }
  /// Does it, and says the results.
  func perform(_ work: VaultWork, _ terminal: Terminal) throws(Failure)
}

extension VaultSubverb {
  static var words: String { "vault \(configuration.commandName ?? "")" }

  func perform(_ terminal: Terminal) -> Status {
    guard let settings = target.load(terminal) else { return ExitCode.configuration.rawValue }
    do throws(Failure) {
      try requireRoot(Self.words)
      let work = try VaultWork(configuration: try target.selected(settings), reactor: try Reactor()) {
        tell(visible($0))
      }
      try perform(work, terminal)
      return ExitCode.done.rawValue
    } catch .passphraseRefused(let tries, false, false) {
      TerminalPrompt.restoreIfNeeded()
      let refused = Failure.passphraseRefused(tries: tries, empty: false, endsInCarriageReturn: false)
      let hint = "mind Caps Lock and the keyboard layout; `mailboot \(Self.words)` asks again"
      return complain(
        .reported(
          FailureReport(
            code: ExitCode.passphrase.rawValue, summary: refused.summary, evidence: [], hint: hint)), settings, terminal
      )
    } catch {
      TerminalPrompt.restoreIfNeeded()
      return complain(error, settings, terminal)
    }
  }
}
