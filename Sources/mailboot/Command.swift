import ArgumentParser
import CLinux
import Console
import Glibc
import MailbootConfiguration
import MailbootCore
import MailbootHost

/// How a verb ended: its exit code.
typealias Status = Int32

/// A verb of `mailboot`.
protocol Verb: ParsableCommand {
  func perform(_ terminal: Terminal) -> Status
}

struct Mailboot: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "mailboot",
    abstract: "Unlock the mail host's encrypted vault and start its services.",
    discussion: """
      With no verb it is `mailboot unlock`: asks for the passphrase, opens the vault, mounts it, verifies it, starts the \
      services and waits until they answer. On an open vault it asks nothing and completes what is missing. Its options \
      (--stdin, --key-file, --no-start, --timeout and more): `mailboot unlock --help`. All of it: `man mailboot`.

      Exit codes: 0 done, 1 other failure, 10 passphrase not accepted, 11 vault device or header, 12 mount, \
      13 verification, 14 a service did not become ready, 15 another run is busy, 16 vault still in use (lock), 64 usage, \
      77 not permitted, 78 configuration, 130 interrupted. `status`: 0 ready, 1 can't tell, 2 locked, 3 degraded, 4 busy.
      """,
    version: "mailboot \(Version.text)",
    subcommands: [
      Unlock.self, LockVerb.self, StatusVerb.self, Verify.self, PlanVerb.self, HistoryVerb.self, GuardVerb.self,
      VaultVerb.self, WaitVerb.self, Config.self, RunVerb.self,
    ],
    defaultSubcommand: Unlock.self)
}

struct ConfigurationOption: ParsableArguments {
  @Option(
    help: ArgumentHelp("Read this file (and FILE.d/*.toml) instead of /etc/mailboot/mailboot.toml.", valueName: "file"))
  var config: String?

  func load(_ terminal: Terminal) -> Configuration? { loadConfiguration(config, terminal) }
}

/// The configuration, or nil after its errors were shown.
func loadConfiguration(_ path: String?, _ terminal: Terminal) -> Configuration? {
  do throws(Failure) {
    return completed(try ConfigurationFiles(path: path).configuration)
  } catch {
    Complaint(terminal: terminal, configuration: Configuration()).show(error)
    return nil
  }
}

enum OutputFormat: String, ExpressibleByArgument, CaseIterable {
  case text, json
}

/// Verbs that look into what only root may see.
func requireRoot(_ verb: String) throws(Failure) {
  guard geteuid() == 0 else { throw .notRoot(verb: verb) }
}

/// Shows a failure, and its exit code.
func complain(_ failure: Failure, _ configuration: Configuration, _ terminal: Terminal) -> Status {
  Complaint(terminal: terminal, configuration: configuration).show(failure)
  return failure.exitCode.rawValue
}
