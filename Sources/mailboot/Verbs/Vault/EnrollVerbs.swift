import ArgumentParser
import CLinux
import Console
import Glibc
import MailbootCore
import MailbootHost
import QRCodes
import SecretMemory

/// What else than a passphrase opens the vault.
struct EnrollVerb: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "enroll",
    abstract: "Give a keyslot to a recovery key, a TPM or a FIDO2 token, as systemd-cryptenroll does.",
    subcommands: [EnrollRecoveryVerb.self, EnrollTPM2Verb.self, EnrollFIDO2Verb.self])
}

struct EnrollRecoveryVerb: VaultSubverb {
  static let configuration = CommandConfiguration(
    commandName: "recovery", abstract: "Make a recovery key, and show it once, for the safe.")
  static let words = "vault enroll recovery"

  @OptionGroup var target: VaultTarget
  @OptionGroup var key: KeyOptions
  @Flag(inversion: .prefixedNo, help: "Show it as a QR code, too (default: at a terminal).")
  var qr: Bool?

  func perform(_ work: VaultWork, _ terminal: Terminal) throws(Failure) {
    try requireKeyslots(work)
    let existing = try VaultSecrets(key, work.reactor).existing()
    try makeRecoveryKey(openedBy: existing, work, qr: qr)
    sayHeaderChanged(removed: false)
  }
}

struct EnrollTPM2Verb: VaultSubverb {
  static let configuration = CommandConfiguration(
    commandName: "tpm2", abstract: "Let this machine's TPM open the vault, by systemd-cryptenroll.",
    discussion: """
      After a boot mailboot.service then opens it by itself (`token` in [wait]). Whoever has the whole machine has the mail, too, unless \
      there is a PIN. When firmware or boot loader have changed, the TPM refuses: the passphrase is asked for, with the reason, and \
      `mailboot vault enroll tpm2 --replace` makes it right again.
      """)
  static let words = "vault enroll tpm2"

  @OptionGroup var target: VaultTarget
  @OptionGroup var key: KeyOptions
  @Option(help: ArgumentHelp("The TPM: auto, or what systemd-cryptenroll(1) takes.", valueName: "device"))
  var tpm2Device = "auto"
  @Option(
    help: ArgumentHelp(
      "Registers of the TPM that must be as they are now, such as 0+7; without it systemd's choice.", valueName: "pcrs")
  )
  var tpm2Pcrs: String?
  @Flag(help: "Ask for a PIN each time.")
  var withPin = false
  @Flag(help: "Remove what is enrolled of this kind, once the new one is there.")
  var replace = false

  func perform(_ work: VaultWork, _ terminal: Terminal) throws(Failure) {
    try enroll(.tpm2(device: tpm2Device, registers: tpm2Pcrs, withPIN: withPin), "TPM2", key, replace, work)
  }
}

struct EnrollFIDO2Verb: VaultSubverb {
  static let configuration = CommandConfiguration(
    commandName: "fido2", abstract: "Let a FIDO2 token open the vault, by systemd-cryptenroll.")
  static let words = "vault enroll fido2"

  @OptionGroup var target: VaultTarget
  @OptionGroup var key: KeyOptions
  @Option(help: ArgumentHelp("The token: auto, or its /dev/hidraw device.", valueName: "device"))
  var fido2Device = "auto"
  @Flag(inversion: .prefixedNo, help: "Whether the token asks for its PIN; without it systemd's choice.")
  var withPin: Bool?
  @Flag(help: "Remove what is enrolled of this kind, once the new one is there.")
  var replace = false

  func perform(_ work: VaultWork, _ terminal: Terminal) throws(Failure) {
    try enroll(.fido2(device: fido2Device, withPIN: withPin), "FIDO2", key, replace, work)
  }
}

private func enroll(
  _ token: EnrolledToken, _ name: String, _ key: KeyOptions, _ replaces: Bool, _ work: VaultWork
) throws(Failure) {
  try requireKeyslots(work)
  try work.checkPresence(of: token)
  let existing = try VaultSecrets(key, work.reactor).existing()
  let keyslots = try work.enroll(token, openedBy: existing, replaces: replaces)
  say("enrolled: keyslot \(keyslots.map(String.init).joined(separator: ", ")) (\(name))")
  sayHeaderChanged(removed: replaces)
}
