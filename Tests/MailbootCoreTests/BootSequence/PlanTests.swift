import MailbootCore
import Testing

/// `mailboot plan`.
struct PlanTests {
  private let opened = Opening.open(OpenVault(device: "254:0", backing: "/dev/vdb"))
  private let words = VaultPlanWords(
    open: "open it", alreadyOpen: "it is open", mount: "mount it", alreadyMounted: "it is mounted")
  private let mount = MountStatus(device: "254:0", source: "/dev/mapper/vault-blk", filesystem: "ext4")

  private func services(_ state: String) -> [ServiceStatus] {
    Configuration().services.map {
      ServiceStatus(
        name: $0.name, units: [UnitStatus(unit: $0.name + ".service", activeState: state, subState: "")],
        activeSince: nil, startedMicroseconds: 0)
    }
  }

  @Test func ofALockedHostEveryStepIsADeed() {
    let observation = Observation(
      opening: .closed, mount: nil, bindsMounted: [false, false], services: services("inactive"))
    let entries = plan(configurationWithBinds(), observation, words: words)
    #expect(
      entries.map(\.step) == [
        "open", "mount", "bind /var/www/private", "bind /var/lib/lists", "check mount", "check free-space",
        "check database", "check dkim", "check certificate", "check postfix", "check dovecot", "check rspamd",
        "check maps", "redis-server", "rspamd", "dovecot", "postfix",
      ])
    #expect(entries.allSatisfy { $0.outcome == .changed })
    #expect(entries[0].action == "open it")
    #expect(entries[1].action == "mount it")
    #expect(entries[2].action == "show /vault/www at /var/www/private")
    let actions = Dictionary(uniqueKeysWithValues: entries.map { ($0.step, $0.action) })
    #expect(actions["check database"] == "require")
    #expect(
      actions["check certificate"] == "certificate require, certificate-expiry warn, certificate-names warn")
    #expect(actions["rspamd"] == "start, after redis-server, until http://127.0.0.1:11333/ping answers")
    #expect(actions["postfix"] == "start, when everything else is ready, until smtp://127.0.0.1:25 answers")
    #expect(entries.last?.step == "postfix")
  }

  @Test func ofAReadyHostOnlyChecksAreLeft() {
    let observation = Observation(
      opening: opened, mount: mount, bindsMounted: [true, true], services: services("active"))
    let entries = plan(configurationWithBinds(), observation, words: words)
    let deeds = entries.filter { $0.outcome == .changed }
    #expect(!deeds.isEmpty && deeds.allSatisfy { $0.step.hasPrefix("check ") })
    #expect(entries[0].action == "it is open")
    #expect(entries[1].action == "it is mounted")
  }

  @Test func ofAHalfOpenHostWhatIsThereIsUnchanged() {
    var half = services("active")
    half[1].units[0].activeState = "failed"
    let observation = Observation(opening: opened, mount: nil, bindsMounted: [false, true], services: half)
    let entries = plan(configurationWithBinds(), observation, words: words)
    let unchanged = entries.filter { $0.outcome == .unchanged }.map(\.step)
    #expect(unchanged == ["open", "bind /var/lib/lists", "redis-server", "dovecot", "postfix"])
    #expect(entries[1].action == "mount it")
  }

  @Test func anotherFileSystemOnTheMountPointIsNotTheVault() {
    var other = mount
    other.device = "8:1"
    let observation = Observation(opening: opened, mount: other, bindsMounted: [], services: services("active"))
    #expect(plan(Configuration(), observation, words: words)[1].outcome == .changed)
  }

  @Test func ofAVaultThatBrokeDownWhatIsLeftIsClearedAwayFirst() {
    let observation = Observation(
      opening: .broken("gocryptfs has ended"), mount: nil, bindsMounted: [], services: services("active"))
    let entries = plan(Configuration(), observation, words: words)
    #expect(
      entries[0]
        == PlanEntry(
          step: "clear", outcome: .changed, action: "stop the services and unmount what is left: gocryptfs has ended"))
    #expect(entries[1].step == "open" && entries[1].action == "open it")
    // They run now, but not by then.
    #expect(entries.suffix(4).allSatisfy { $0.outcome == .changed })
  }

  @Test func aCheckThatIsOffIsNotInThePlan() {
    var configuration = Configuration()
    configuration.verify.severity[.maps] = .off
    let observation = Observation(opening: .closed, mount: nil, bindsMounted: [], services: nil)
    #expect(!plan(configuration, observation, words: words).contains { $0.step == "check maps" })
  }
}
