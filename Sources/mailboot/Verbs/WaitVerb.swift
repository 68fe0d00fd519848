import ArgumentParser
import Console
import MailbootCore
import MailbootHost
import Systemd

struct WaitVerb: Verb {
  static let configuration = CommandConfiguration(
    commandName: "wait", abstract: "Wait for the passphrase, then watch: what mailboot.service runs.")

  @OptionGroup var common: ConfigurationOption
  @Flag(help: .hidden)
  var clearRemains = false

  func perform(_ terminal: Terminal) -> Status {
    // First of all: nobody else is to find it in the environment.
    let notifier = ServiceNotifier.takeFromEnvironment()
    guard let settings = common.load(terminal) else { return ExitCode.configuration.rawValue }
    do throws(Failure) {
      try requireRoot("wait")
      if clearRemains {
        WaitService.clearRemains(settings)
        return ExitCode.done.rawValue
      }
      let manager = try WaitService(
        configuration: settings, configurationPath: common.config, version: Version.text, reactor: try Reactor(),
        notifier: notifier)
      try manager.run()
      return ExitCode.done.rawValue
    } catch {
      return complain(error, settings, terminal)
    }
  }
}
