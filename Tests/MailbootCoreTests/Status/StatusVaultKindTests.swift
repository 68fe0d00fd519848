import JSON
import MailbootCore
import Testing

/// What a status says of vaults that are no LUKS device.
struct StatusVaultKindTests {
  private func fixture(_ type: VaultType, _ opening: Opening) -> StatusFixture {
    var fixture = StatusFixture()
    fixture.configuration.vault.type = type
    fixture.observation?.opening = opening
    return fixture
  }

  private let broken = Opening.broken("gocryptfs has ended without unmounting")

  @Test func anEncryptedDirectoryHasNeitherMappingNorUUID() {
    let open = fixture(.gocryptfs, .open(OpenVault(device: "254:0", backing: "/vault_crypt"))).report
    #expect(open.state == .ready)
    #expect(open.vault.mapping == nil && open.vault.uuid == nil && open.vault.device == "/vault_crypt")
    #expect(open.vault.open && open.vault.mounted && open.vault.sizeBytes == 1000)
    let text = open.json().rendered()
    #expect(text.contains("\"type\": \"gocryptfs\""))
    #expect(text.contains("\"mapping\": null") && text.contains("\"uuid\": null"))
    #expect(text.contains("\"device\": \"/vault_crypt\""))
  }

  @Test func lockedItsDirectoryIsStillNamed() {
    let report = fixture(.gocryptfs, .closed).report
    #expect(report.state == .locked && report.needsPassphrase)
    #expect(report.vault.device == "/vault_crypt")
  }

  @Test func aVaultThatBrokeDownIsDegradedAndNeedsThePassphrase() {
    let report = fixture(.gocryptfs, broken).report
    #expect(report.state == .degraded)
    #expect(report.reasons == ["gocryptfs has ended without unmounting"])
    #expect(report.needsPassphrase)
    #expect(!report.vault.open && !report.vault.mounted)
    #expect(report.vault.sizeBytes == nil && report.checks.isEmpty)
    #expect(report.state.statusExitCode == 3)
    #expect(report.nagios(now: StatusFixture.noon).contains("gocryptfs has ended without unmounting"))
  }

  @Test func whoeverWaitsForItsPassphraseIsShown() {
    var input = StatusInput(
      configuration: fixture(.gocryptfs, broken).configuration, observation: fixture(.gocryptfs, broken).observation,
      record: nil, locked: false, host: "mail", bootID: StatusFixture.bootID, bootedAt: 0, trouble: [])
    var service = WaitServiceRecord(bootID: StatusFixture.bootID)
    service.waitingSince = StatusFixture.noon
    input.service = service
    input.waitServiceRuns = true
    input.now = StatusFixture.noon + 60
    #expect(StatusReport(input).waiting?.seconds == 60)
  }

  @Test func whileARunIsBusyNobodyIsAskedForAPassphrase() {
    var fixture = fixture(.gocryptfs, broken)
    fixture.busy(.opening)
    #expect(fixture.report.state == .opening)
    #expect(!fixture.report.needsPassphrase)
  }

  @Test func whatDoesNotAnswerIsOpenAndDegraded() {
    let opening = Opening.open(OpenVault(device: "254:0", flaws: ["gocryptfs does not answer"], answers: false))
    let report = fixture(.gocryptfs, opening).report
    #expect(report.state == .degraded && report.vault.open && !report.needsPassphrase)
    #expect(report.reasons == ["gocryptfs does not answer"])
    #expect(opening.breakdown == .stuck("gocryptfs does not answer"))
  }

  @Test func whatIsAlwaysThereIsNeverLocked() {
    var fixture = fixture(.plain, .open(OpenVault(device: nil)))
    #expect(fixture.report.state == .ready)
    #expect(fixture.report.vault.mounted && fixture.report.vault.device == nil)
    fixture.set(0, "inactive", "dead")
    #expect(fixture.report.state == .degraded)
    fixture.observation?.opening = .broken("there is no directory /vault")
    #expect(fixture.report.state == .degraded)
    // No passphrase helps.
    #expect(!fixture.report.needsPassphrase)
  }
}
