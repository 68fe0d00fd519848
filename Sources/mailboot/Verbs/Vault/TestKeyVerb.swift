import ArgumentParser
import Console
import MailbootCore
import MailbootHost
import Text

struct TestKeyVerb: VaultSubverb {
  static let configuration = CommandConfiguration(
    commandName: "test-key", abstract: "Say whether a passphrase opens the vault, and which keyslot; changes nothing.")

  @OptionGroup var target: VaultTarget
  @OptionGroup var key: KeyOptions

  func perform(_ work: VaultWork, _ terminal: Terminal) throws(Failure) {
    let passphrase = try VaultSecrets(key, work.reactor).existing()
    if work.configuration.vault.kind == .gocryptfs {
      return say("accepted: in \(decimal(try work.testGocryptfsKey(passphrase), places: 1)) s")
    }
    let (keyslot, seconds) = try work.testKey(passphrase)
    say("accepted: keyslot \(keyslot), in \(decimal(seconds, places: 1)) s")
  }
}
