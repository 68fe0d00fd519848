import Glibc
import Linux
import MailbootCore
import SecretMemory

/// What a keyslot can be given to besides a passphrase, by systemd's own program.
public enum EnrolledToken: Equatable, Sendable {
  /// - Parameters:
  ///   - device: `auto`, or what systemd-cryptenroll(1) takes.
  ///   - registers: PCRs that must be as they are now, as it takes them; nil: its default.
  case tpm2(device: String, registers: String?, withPIN: Bool)
  case fido2(device: String, withPIN: Bool?)

  var name: String {
    switch self {
    case .tpm2: "TPM2"
    case .fido2: "FIDO2"
    }
  }
}

extension VaultWork {
  static let enroller = "/usr/bin/systemd-cryptenroll"

  /// Has systemd-cryptenroll(1) give a new keyslot to a token.
  /// - Parameter replaces: whether keyslots of tokens of the same kind go, once the new one is there.
  /// - Returns: the new keyslots.
  public func enroll(
    _ token: EnrolledToken, openedBy existing: borrowing SecretBytes, replaces: Bool
  ) throws(Failure) -> [Int] {
    // It counts nobody's attempts and says no more than that it failed.
    _ = try testKey(existing)
    return try alone("vault enroll") { () throws(Failure) in
      let before = try keyTable(measured: false)
      guard before.version == 2 else { throw Self.noTokens }
      let path = try headerPath()
      let words = [Self.enroller, "--unlock-key-file=/proc/self/fd/3"] + options(token, replaces) + [path]
      let status = try ForegroundProgram.run(words, secret: existing, reactor)
      rememberHeader()
      let after = try keyTable(measured: false)
      let known = Set(before.keyslots.map(\.number))
      guard status == 0 else {
        throw .system("systemd-cryptenroll did not enroll the \(token.name) token (its own words are above)")
      }
      return after.keyslots.filter { !known.contains($0.number) || $0.kind.name == token.name }.map(\.number)
        .filter { number in !before.keyslots.contains { $0.number == number && $0.kind.name == token.name } || replaces
        }
    }
  }

  static var noTokens: Failure {
    .usage(
      "this vault is LUKS1, whose header has no room for tokens",
      hint: "convert the closed vault, with a backup of its header: `cryptsetup convert DEVICE --type luks2`")
  }

  private func options(_ token: EnrolledToken, _ replaces: Bool) -> [String] {
    switch token {
    case .tpm2(let device, let registers, let withPIN):
      ["--tpm2-device=\(device)"] + (registers.map { ["--tpm2-pcrs=\($0)"] } ?? [])
        + (withPIN ? ["--tpm2-with-pin=yes"] : []) + (replaces ? ["--wipe-slot=tpm2"] : [])
    case .fido2(let device, let withPIN):
      ["--fido2-device=\(device)"] + (withPIN.map { ["--fido2-with-client-pin=\($0 ? "yes" : "no")"] } ?? [])
        + (replaces ? ["--wipe-slot=fido2"] : [])
    }
  }

  /// What can be known to fail before anybody is asked for a passphrase.
  public func checkPresence(of token: EnrolledToken) throws(Failure) {
    guard access(Self.enroller, X_OK) == 0 else {
      throw .usage(
        "systemd-cryptenroll is not installed",
        hint: "`apt install systemd-cryptsetup` (Debian 13; on Debian 12 it is part of systemd)")
    }
    switch token {
    case .tpm2("auto", _, _) where (listDirectory("/sys/class/tpmrm") ?? []).isEmpty:
      throw .usage(
        "this machine has no TPM 2.0",
        hint: "switch it on in the firmware (fTPM, PTT), or give the virtual machine one; a passphrase and a recovery"
          + " key do without")
    case .fido2("auto", _) where (listDirectory("/sys/class/hidraw") ?? []).isEmpty:
      throw .usage(
        "no FIDO2 token is to be seen", hint: "plug it into this machine; `systemd-cryptenroll --fido2-device=list`")
    case .tpm2, .fido2: break
    }
  }
}
