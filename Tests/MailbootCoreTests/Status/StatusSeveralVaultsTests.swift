import JSON
import MailbootCore
import Testing

/// A host with two vaults, as `status` says it.
struct StatusSeveralVaultsTests {
  /// - Parameter opening: of the second one.
  private func fixture(_ opening: Opening, mount: MountStatus? = nil) -> StatusFixture {
    var fixture = StatusFixture()
    var vault = Configuration.Vault(further: "backup")
    vault.device = "/dev/vdc"
    vault.type = .luks
    fixture.configuration.otherVaults = [vault]
    fixture.configuration.services.append(Configuration.Service(name: "borg", vaults: ["backup"]))
    fixture.observation?.others = [ObservedVault(opening: opening, mount: mount)]
    fixture.observation?.services?.append(
      ServiceStatus(
        name: "borg", units: [UnitStatus(unit: "borg.service", activeState: "active", subState: "running")],
        activeSince: StatusFixture.noon, startedMicroseconds: UInt64(StatusFixture.noon * 1_000_000)))
    return fixture
  }

  private let opened = Opening.open(OpenVault(device: "254:1", backing: "/dev/vdc"))
  private let mounted = MountStatus(
    device: "254:1", source: "/dev/mapper/vault-backup", filesystem: "ext4", sizeBytes: 2000, availableBytes: 50)

  @Test func bothOpenIsReady() {
    let report = fixture(opened, mount: mounted).report
    #expect(report.state == .ready)
    #expect(report.closedVaults == [])
    let text = report.prometheus(version: "0")
    #expect(text.contains("mailboot_vault_open{vault=\"vault\"} 1\n"))
    #expect(text.contains("mailboot_vault_open{vault=\"backup\"} 1\n"))
    #expect(report.nagios(now: StatusFixture.noon).contains(" vaults_open=2;;;0;2 "))
  }

  @Test func aClosedSecondOneIsDegradedAndSaysWhoWaits() {
    var fixture = fixture(.closed)
    fixture.set(4, "inactive", "dead")
    let report = fixture.report
    #expect(report.state == .degraded)
    // The service that waits is no reason of its own.
    #expect(report.reasons == ["the vault backup is closed, and borg waits for it: `mailboot` brings it up"])
    #expect(report.closedVaults == ["backup"])
    #expect(report.canBeCompleted)
    #expect(!report.needsPassphrase, "mail waits for nothing")
    #expect(report.prometheus(version: "0").contains("mailboot_vault_open{vault=\"backup\"} 0\n"))
    #expect(report.nagios(now: StatusFixture.noon).contains("the vault backup is closed"))
  }

  @Test func aServiceThatIsDownForAnotherReasonIsStillSaid() {
    var fixture = fixture(opened, mount: mounted)
    fixture.set(4, "failed", "failed")
    #expect(fixture.report.reasons == ["borg.service is failed (failed)"])
  }

  @Test func whatElseIsWrongWithTheSecondOne() {
    #expect(
      fixture(opened).report.reasons
        == ["the vault backup is open but not mounted on /vault-backup, and borg waits for it: `mailboot` mounts it"])
    #expect(
      fixture(.broken("gocryptfs has ended")).report.reasons == ["the vault backup: gocryptfs has ended"])
    var other = mounted
    other.device = "8:1"
    other.source = "/dev/sda1"
    #expect(
      fixture(opened, mount: other).report.reasons == ["/vault-backup holds /dev/sda1, not the vault backup"])
  }

  @Test func theJSONKeepsTheFirstAndListsAll() throws {
    let report = fixture(opened, mount: mounted).report
    let json = report.json()
    #expect(json["vault"]?["name"]?.text == "vault")
    let all = try #require(json["vaults"]?.items)
    #expect(all.map { $0["name"]?.text } == ["vault", "backup"])
    #expect(all[0] == json["vault"])
    #expect(all[1]["mapping"]?.text == "vault-backup")
    #expect(all[1]["available_bytes"]?.number == 50)
    // With one vault, too.
    #expect(StatusFixture().report.json()["vaults"]?.items?.count == 1)
  }
}
