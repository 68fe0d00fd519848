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
    subcommands: [
      TestKeyVerb.self, InfoVerb.self, CheckVerb.self, GrowVerb.self, TrimVerb.self, RekeyVerb.self, MoveVerb.self,
    ])
}

/// Which vault a verb of `mailboot vault` is for.
struct VaultTarget: ParsableArguments {
  @OptionGroup var common: ConfigurationOption

  func load(_ terminal: Terminal) -> Configuration? { common.load(terminal) }
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
      let work = try VaultWork(configuration: settings, reactor: try Reactor()) { tell(visible($0)) }
      try perform(work, terminal)
      return ExitCode.done.rawValue
    } catch {
      TerminalPrompt.restoreIfNeeded()
      return complain(error, settings, terminal)
    }
  }
}
