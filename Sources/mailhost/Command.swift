import ArgumentParser
import Console
import MailbootCore

/// How a verb ended: its exit code.
typealias Status = Int32

/// A verb of `mailhost`.
protocol Verb: ParsableCommand {
  func perform(_ terminal: Terminal) throws(HostFailure) -> Status
}

struct Mailhost: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "mailhost",
    abstract: "The configuration of the whole mail host, from one file.",
    discussion: """
      /etc/mailboot/mailhost.toml says what the host is to be. `plan` shows what would change, `apply` changes it and proves the \
      result, `explain` tells the reason of each setting. All of it: `man mailhost`.

      Exit codes: 0 done, 1 failed, 2 something differs (plan) or needs a decision, 13 the vault is locked, 64 usage, 77 not permitted, \
      78 configuration, \
      130 interrupted.
      """,
    version: "mailhost \(Version.text)",
    subcommands: [
      PlanVerb.self, ApplyVerb.self, TestVerb.self, RenderVerb.self, HistoryVerb.self, RollbackVerb.self,
      ExplainVerb.self, AdoptVerb.self, DKIMVerb.self, DNSVerb.self, ClientVerb.self, WebVerb.self, QueueVerb.self,
      LimitsVerb.self, PathsVerb.self, SnapshotVerb.self, VerifySnapshotVerb.self, RestoreVerb.self, RelayVerb.self,
      CompleteVerb.self,
    ])

  func run() throws { throw ValidationError("a verb is missing") }
}
