import ArgumentParser
import Console
import MailbootCore
import MailbootHost
import SecretMemory
import Text

/// `mailboot vault`: the vault's life beside unlock and lock.
struct VaultVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "vault", abstract: "Make, key, save, grow and move the vault.",
    subcommands: [TestKeyVerb.self])
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
    } catch {
      TerminalPrompt.restoreIfNeeded()
      return complain(error, settings, terminal)
    }
  }
}
