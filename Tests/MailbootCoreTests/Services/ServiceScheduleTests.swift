import Testing

@testable import MailbootCore

/// What may begin when, asked step by step.
struct ServiceScheduleTests {
  private let vaultChecks: [CheckGroup] = [.mount, .freeSpace, .database, .certificate]
  private let tools: [CheckGroup] = [.postfix, .dovecot, .rspamd]

  private func names(_ indices: [Int], _ configuration: Configuration) -> [String] {
    indices.map { configuration.services[$0].name }
  }

  @Test func atFirstOnlyChecksThatNeedNothingBegin() {
    var schedule = ServiceSchedule(configuration: Configuration(), withServices: true)
    let first = schedule.begin()
    #expect(first.services.isEmpty)
    #expect(first.checks == vaultChecks + tools)
    #expect(schedule.going == 7 && schedule.goingChecks == 7)
  }

  @Test func nothingBeginsTwice() {
    var schedule = ServiceSchedule(configuration: Configuration(), withServices: true)
    _ = schedule.begin()
    let again = schedule.begin()
    #expect(again.services.isEmpty && again.checks.isEmpty)
    #expect(schedule.going == 7)
  }

  @Test func theStandardHostGoesThroughThreeRoundsOfServices() {
    let configuration = Configuration()
    var schedule = ServiceSchedule(configuration: configuration, withServices: true)
    _ = schedule.begin()
    schedule.ended(.database)
    #expect(schedule.begin().checks == [.dkim, .maps])
    for group in [CheckGroup.mount, .certificate] {
      #expect(names(schedule.begin().services, configuration) == [])
      schedule.ended(group)
    }
    #expect(names(schedule.begin().services, configuration) == ["redis-server", "dovecot"])
    schedule.ended(service: 0)
    #expect(names(schedule.begin().services, configuration) == ["rspamd"])
    schedule.ended(service: 1)
    schedule.ended(service: 2)
    for group in tools + [.maps, .dkim] {
      #expect(names(schedule.begin().services, configuration) == [])
      schedule.ended(group)
    }
    // Free space only warns: it still goes on.
    #expect(schedule.goingChecks == 1)
    #expect(names(schedule.begin().services, configuration) == ["postfix"])
    schedule.ended(service: 3)
    schedule.ended(.freeSpace)
    #expect(schedule.going == 0)
  }

  @Test func withoutServicesThereAreOnlyChecks() {
    var schedule = ServiceSchedule(configuration: Configuration(), withServices: false)
    var begun: [CheckGroup] = []
    while true {
      let round = schedule.begin()
      #expect(round.services.isEmpty)
      if round.checks.isEmpty { break }
      begun += round.checks
      for group in round.checks { schedule.ended(group) }
    }
    #expect(Set(begun) == Set(CheckGroup.allCases))
  }

  @Test func withEveryCheckOffServicesBeginAtOnceAndTheDoorStillLast() {
    var configuration = Configuration()
    for check in CheckName.allCases { configuration.verify.severity[check] = .off }
    var schedule = ServiceSchedule(configuration: configuration, withServices: true)
    let first = schedule.begin()
    #expect(first.checks.isEmpty)
    #expect(names(first.services, configuration) == ["redis-server", "dovecot"])
    schedule.ended(service: 0)
    schedule.ended(service: 2)
    _ = schedule.begin()
    #expect(names(schedule.begin().services, configuration) == [])
    schedule.ended(service: 1)
    #expect(names(schedule.begin().services, configuration) == ["postfix"])
  }

  @Test func aServiceBehindTheDoorStartsAfterItAndDoesNotHoldItUp() {
    var configuration = Configuration()
    for check in CheckName.allCases { configuration.verify.severity[check] = .off }
    configuration.services = [
      Configuration.Service(name: "postfix"), Configuration.Service(name: "relay", after: ["postfix"]),
      Configuration.Service(name: "watcher", after: ["relay"]),
    ]
    var schedule = ServiceSchedule(configuration: configuration, withServices: true)
    for (index, name) in ["postfix", "relay", "watcher"].enumerated() {
      #expect(names(schedule.begin().services, configuration) == [name])
      schedule.ended(service: index)
    }
  }

  @Test(
    arguments: [
      ("postfix", nil, true), ("postfix.service", nil, true), ("exim4", "smtp://127.0.0.1:25", true),
      ("haraka", "smtps://127.0.0.1", true), ("dovecot", "imaps://127.0.0.1", false),
      ("dovecot", "lmtp:///run/dovecot/lmtp", false), ("exim4", nil, false),
    ] as [(String, String?, Bool)])
  func whoeverSpeaksSMTPIsADoor(_ name: String, _ probe: String?, _ isDoor: Bool) throws {
    let service = Configuration.Service(name: name, probe: try probe.map { try ProbeURL(parsing: $0) })
    #expect(service.isDoor == isDoor)
  }
}
