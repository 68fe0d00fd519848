import ArgumentParser
import Console
import JSON
import MailbootCore
import MailbootHost

struct KeysVerb: VaultSubverb {
  static let configuration = CommandConfiguration(
    commandName: "keys",
    abstract: "Show what opens the vault: every keyslot as what it is, and the time that it takes here.",
    discussion: """
      The time is measured: the key derivation of each passphrase and recovery key is made once, with a passphrase that opens \
      nothing. What a token needs for itself is not known.
      """)

  @OptionGroup var target: VaultTarget
  @Option(help: "text or json.")
  var format = OutputFormat.text

  func perform(_ work: VaultWork, _ terminal: Terminal) throws(Failure) {
    let table: KeyTable
    let backup: HeaderBackupState
    if work.configuration.vault.kind == .gocryptfs {
      let (key, directory) = try work.gocryptfsKey(measured: true)
      table = KeyTable(version: 0, uuid: directory, label: nil, keyslots: [key], capacity: 1, fingerprint: "")
      backup = work.gocryptfsBackupState(directory)
    } else {
      table = try work.keyTable(measured: true)
      backup = work.headers.state(table.uuid, fingerprint: table.fingerprint)
    }
    switch format {
    case .json: say(KeyTableText(table).json(backup).rendered())
    case .text:
      for line in KeyTableText(table).lines() { say(line) }
      if let complaint = backup.complaint { tell("warning: " + complaint) }
    }
  }
}
