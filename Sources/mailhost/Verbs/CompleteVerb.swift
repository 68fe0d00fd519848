import ArgumentParser
import Console
import Linux
import MailHost

/// Called by `mailboot` when the vault has been opened and `apply` had left something for that.
struct CompleteVerb: Verb {
  static let configuration = CommandConfiguration(
    commandName: "complete", abstract: "Make what waited for the vault; `mailboot` calls it after opening it.")

  @OptionGroup var host: HostOptions

  func perform(_ terminal: Terminal) throws(HostFailure) -> Status {
    if host.prefix.isEmpty { try requireRoot("complete") }
    let work = try HostWork(host)
    // An `apply` that is at work has called `mailboot`, which calls us: it does all this itself.
    guard let lock = try? HostLock(work.root) else { return 0 }
    defer { withExtendedLifetime(lock) {} }
    try settle(work) { tell("note: \($0)") }
    guard Vault(settings: work.settings, root: work.root).isOpen else {
      throw HostFailure(.failed, "the vault is closed", hint: "run `mailboot`")
    }
    try VaultContents(
      settings: work.settings, facts: work.facts, root: work.root, files: work.files, report: { tell("  \($0)") }
    ).fill()
    try explained { () throws(SystemError) in try work.store.setWaiting(false) }
    return 0
  }
}
