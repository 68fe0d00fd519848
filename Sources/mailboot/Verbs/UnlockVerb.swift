import ArgumentParser
import CLinux
import Console
import Glibc
import MailbootCore
import MailbootHost
import SecretMemory
import Text

struct Unlock: Verb {
  static let configuration = CommandConfiguration(
    commandName: "unlock", abstract: "Open, mount, verify, start, report (the default).")

  @OptionGroup var common: ConfigurationOption
  @Flag(help: "Read the passphrase from standard input: exact bytes, one newline at the end is dropped.")
  var stdin = false
  @Flag(help: "With --stdin: drop nothing.")
  var raw = false
  @Option(help: ArgumentHelp("Read the passphrase from this descriptor: exact bytes.", valueName: "n"))
  var passphraseFd: Int32?
  @Option(help: ArgumentHelp("Read the passphrase from this file: exact bytes, at most 8 MiB.", valueName: "file"))
  var keyFile: String?
  @Flag(help: "Open, mount and verify, but start nothing.")
  var noStart = false
  @Option(
    help: ArgumentHelp("The longest wait for the device and, separately, for each service.", valueName: "seconds"))
  var timeout: Int?

  @Flag(help: "As root: do the work in this process also while the service runs.")
  var local = false

  func validate() throws {
    if [stdin, passphraseFd != nil, keyFile != nil].count(where: { $0 }) > 1 {
      throw ValidationError("only one of --stdin, --passphrase-fd and --key-file can be given")
    }
    if raw && !stdin { throw ValidationError("--raw goes with --stdin") }
    if let timeout, !(0...86400).contains(timeout) { throw ValidationError("--timeout takes 0 to 86400 seconds") }
    if let passphraseFd, passphraseFd < 0 { throw ValidationError("--passphrase-fd takes a descriptor's number") }
  }

  func perform(_ terminal: Terminal) -> Status {
    guard var settings = common.load(terminal) else { return ExitCode.configuration.rawValue }
    if let timeout {
      settings.unlock.deviceTimeout = timeout
      settings.unlock.serviceTimeout = max(1, timeout)
    }
    let lines = ProgressLines(terminal)
    do throws(Failure) {
      if !settings.vaults.contains(where: \.kind.isEncrypted), stdin || passphraseFd != nil || keyFile != nil {
        throw .usage(
          "there is no passphrase to give: with type \"none\" nothing is encrypted", hint: "run `mailboot` without it")
      }
      // Another configuration than the service has means another vault.
      let remote = common.config == nil && !local ? WaitServiceClient() : nil
      if remote == nil { try requireRoot("unlock") }
      try takeDescriptor()
      let reactor = try Reactor()
      reactor.onTick = { lines.refresh() }
      letInsistingLeave(reactor, lines)
      let unlocker = try Unlocker(
        configuration: settings, reactor: reactor, remote: remote, timeout: timeout, report: { lines.take($0) },
        warn: { text in
          lines.clear()
          tell("warning: \(text)")
        })
      let result = try unlocker.run(source: source(settings, reactor), start: !noStart)
      lines.clear()
      say(closing(result))
      return ExitCode.done.rawValue
    } catch {
      lines.clear()
      TerminalPrompt.restoreIfNeeded()
      return complain(error, settings, terminal)
    }
  }

  /// Makes sure, before this process opens anything that lasts, that the descriptor is the caller's: else its number would soon
  /// belong to one of our own. From here on no child process gets it.
  private func takeDescriptor() throws(Failure) {
    guard let passphraseFd else { return }
    guard mb_fcntl_int(passphraseFd, F_GETFD, 0) >= 0 else {
      throw .usage(
        "--passphrase-fd \(passphraseFd): this descriptor is not open",
        hint: "open it for mailboot, such as `mailboot --passphrase-fd \(passphraseFd) \(passphraseFd)< FILE`")
    }
    _ = mb_fcntl_int(passphraseFd, F_SETFD, FD_CLOEXEC)
  }

  /// Where the passphrase comes from, should it be needed; nil: nowhere.
  private func source(_ settings: Configuration, _ reactor: Reactor) -> (any PassphraseSource)? {
    // Typed at a terminal it would be on the screen.
    if stdin, isatty(0) == 1 { return TerminalSource(attempts: 1, reactor: reactor) }
    if stdin { return SecretSource(.standardInput(raw: raw), reactor: reactor) }
    if let passphraseFd { return SecretSource(.descriptor(passphraseFd), reactor: reactor) }
    if let keyFile { return SecretSource(.keyFile(keyFile), reactor: reactor) }
    return isatty(0) == 1 ? TerminalSource(attempts: settings.unlock.attempts, reactor: reactor) : nil
  }

  private func closing(_ result: UnlockSummary) -> String {
    let warnings = result.checks.count { $0.result == .warn }
    var words = warnings == 0 ? "" : ", with \(warnings) \(warnings == 1 ? "warning" : "warnings")"
    if !result.closed.isEmpty { words += ", without the vault \(result.closed.map(\.name).joined(separator: ", "))" }
    if noStart { return "mounted and verified\(words), nothing started" }
    if result.isUnchanged { return "ready already\(words)" }
    return "ready in \(decimal(result.seconds, places: 1)) s\(words)"
  }
}
