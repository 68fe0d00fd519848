import MachineKit
import SceneSupport
import Testing

/// A TPM opens the vault after a reboot, and says why it does not.
struct TPMTests {
  @Test func aTPMOpensTheVaultAfterAPowerCutAndARefusalNamesItsReason() async throws {
    let machine = try await Machine.fresh(.debian13, .off)
    defer { machine.close() }
    try machine.fitTPM()
    try await machine.bootAgain()
    let host = MailHost(machine, .luks)
    try await host.prepare()
    let enrolled = try await machine.succeed(
      """
      set -e
      cryptsetup luksConvertKey --batch-mode --key-file \(MailHost.passphraseFile) \
        --pbkdf pbkdf2 --pbkdf-force-iterations 1000 /dev/vdb
      mailboot vault enroll tpm2 --tpm2-pcrs 23 --key-file \(MailHost.passphraseFile)
      mailboot vault keys
      systemd-cryptenroll /dev/vdb
      """)
    #expect(enrolled.contains("enrolled: keyslot 1 (TPM2)"))
    #expect(enrolled.split(separator: "\n").contains { $0.split(separator: " ") == ["1", "tpm2"] })
    try await machine.succeed("sync")

    try await machine.powerCut()
    try await machine.bootAgain()
    try await host.await("ready")
    #expect(try await machine.succeed("mailboot status --format json").contains("\"via\": \"token\""))

    // As after an update of the firmware. To the service it is a boot in which nobody has unlocked or locked yet.
    try await machine.succeed(
      """
      set -e
      tpm2_pcrextend 23:sha256=$(printf '%064d' 1)
      mailboot lock
      systemctl stop mailboot
      rm -f /run/mailboot/*.json
      """)
    try await host.beginWaiting(configuration: "[wait]\nask = true\n")
    try await machine.succeed(
      """
      for try in {1..100}; do
        journalctl -b -t mailboot -o cat --no-pager |
          grep -q 'no token in the header of .* opened it: the TPM refuses, because its registers (PCR 23)' && exit 0
        sleep 0.5
      done
      journalctl -b -t mailboot --no-pager | tail -20; exit 1
      """)
    // The question stands, and the passphrase opens.
    try await machine.succeed(
      """
      for try in {1..100}; do ls /run/systemd/ask-password/ask.* 2>/dev/null && exit 0; sleep 0.2; done
      journalctl -b -t mailboot --no-pager | tail -20; exit 1
      """)
    #expect(try await machine.succeed("mailboot status || test $? = 2").contains("locked"))
    #expect(try await host.unlock("--no-start").status == 0)
  }
}
