import ArgumentParser
import Console
import MailbootCore
import MailbootHost
import Text

struct LockVerb: Verb {
  static let configuration = CommandConfiguration(
    commandName: "lock", abstract: "Stop the services, unmount, close.",
    discussion: """
      Names the processes that use the vault and belong to no configured service, and changes nothing as long as there are \
      any. When the vault is still in use after the services were stopped, they are started again.
      """)

  @OptionGroup var common: ConfigurationOption
  @Flag(help: "End the processes that use the vault and belong to no configured service.")
  var kill = false
  @Flag(
    help: ArgumentHelp(
      "Take the key out of memory first, then clear up by force. What was not written to the disk is lost."))
  var emergency = false
  @Option(help: ArgumentHelp("The longest wait for each service and each unmount.", valueName: "seconds"))
  var timeout: Int?

  func validate() throws {
    if let timeout, !(1...86400).contains(timeout) { throw ValidationError("--timeout takes 1 to 86400 seconds") }
    if emergency && kill { throw ValidationError("--emergency ends every process in the way, with or without --kill") }
    if emergency && timeout != nil {
      throw ValidationError("--timeout does not go with --emergency, whose waits are seconds long in any case")
    }
  }

  private func closing(_ result: Locker.Result, _ vault: Configuration.Vault) -> String {
    let seconds = decimal(result.seconds, places: 1)
    if vault.kind.isEncrypted { return result.outcome == .unchanged ? "locked already" : "locked in \(seconds) s" }
    let isChanged = result.steps.contains { $0.outcome == .changed }
    return (isChanged ? "stopped in \(seconds) s" : "stopped already")
      + "; \(vault.mount) stays readable, nothing in it is encrypted"
  }

  func perform(_ terminal: Terminal) -> Status {
    guard var settings = common.load(terminal) else { return ExitCode.configuration.rawValue }
    if let timeout { settings.unlock.serviceTimeout = timeout }
    let lines = ProgressLines(terminal)
    do throws(Failure) {
      try requireRoot("lock")
      let reactor = try Reactor()
      reactor.onTick = { lines.refresh() }
      letInsistingLeave(reactor, lines)
      let locker = Locker(
        configuration: settings, reactor: reactor, unmountTimeout: timeout.map(Double.init),
        report: { lines.take($0) },
        warn: { text in
          lines.clear()
          tell("warning: \(text)")
        })
      let result = try emergency ? locker.lockInEmergency() : locker.lock(kill: kill)
      lines.clear()
      say(closing(result, settings.vault))
      return ExitCode.done.rawValue
    } catch {
      lines.clear()
      return complain(error, settings, terminal)
    }
  }
}
