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
    let recovery: SecretBytes
    do { recovery = try RecoveryKey.generate() } catch { throw .system("\(error)") }
    let change = try work.addRecoveryKey(recovery, openedBy: existing)
    if case .changed(let keyslot, _, let cleared, _) = change {
      sayCleared(cleared)
      tell("enrolled: keyslot \(keyslot ?? 0). This recovery key opens the vault, and is not shown again:")
    }
    if isatty(1) == 1 { emit("\n    ", to: 1) }
    do { try write(recovery, to: 1) } catch { throw .system("\(error)") }
    emit(isatty(1) == 1 ? "\n\n" : "\n", to: 1)
    showCode(recovery)
    tell("write it down or print it, and keep it where the vault is not")
    sayHeaderChanged(removed: false)
  }

  private func showCode(_ recovery: borrowing SecretBytes) {
    let output = Terminal(descriptor: 1)
    guard qr ?? output.isLive else { return }
    do {
      // The library wants its end marked.
      var text = try SecretBytes(capacity: recovery.count + 1)
      for index in 0..<recovery.count { try text.append(recovery.withUnsafeBytes { $0[index] }) }
      try text.append(0)
      let drawing = try text.withUnsafeBytes { bytes in
        try QRCode.drawing(terminated: bytes.baseAddress!.assumingMemoryBound(to: CChar.self))
      }
      emit(try QRText(drawing: drawing, terminal: output).text(), to: 1)
    } catch let failure as QRFailure {
      tell("no QR code: " + failure.summary + (failure.hint.map { "; \($0)" } ?? ""))
    } catch {
      tell("no QR code: \(error)")
    }
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
