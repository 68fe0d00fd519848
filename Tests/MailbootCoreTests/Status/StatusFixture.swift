import MailbootCore

/// A host of the standard layout as `status` finds it, ready unless something is changed.
struct StatusFixture {
  static let bootID = "6c1d3f7e-0b5e-4a49-9d1c-5d6f9a1b2c3d"
  /// 2026-11-22T15:00:00Z.
  static let noon = 1_795_359_600.0

  var configuration = Configuration()
  var observation: Observation?
  var record: LastResults?
  var locked = false
  var trouble: [String] = []
  var hostTest: HostTestRecord?
  var dnsCheck: DNSCheckRecord?
  var service: WaitServiceRecord?
  var doorIsLeftShut = false

  /// Every unit active since noon; each probed a minute later.
  init() {
    let services = configuration.services.map { service in
      ServiceStatus(
        name: service.name,
        units: [UnitStatus(unit: "\(service.name).service", activeState: "active", subState: "running")],
        activeSince: Self.noon, startedMicroseconds: UInt64(Self.noon * 1_000_000))
    }
    observation = Observation(
      opening: .open(
        OpenVault(device: "254:0", backing: "/dev/vdb", uuid: "01234567-89ab-cdef-0123-456789abcdef")),
      mount: MountStatus(
        device: "254:0", source: "/dev/mapper/vault-blk", filesystem: "ext4", sizeBytes: 1000, availableBytes: 600),
      bindsMounted: [], services: services)
    var record = LastResults(bootID: Self.bootID)
    record.checks = CheckName.allCases.map {
      CheckRecord(name: $0, result: .pass, detail: "fine", hint: nil, at: Self.noon)
    }
    for service in configuration.services {
      record.probes[service.name] = ProbeRecord(answered: true, detail: "\(service.name) speaks", at: Self.noon + 60)
    }
    self.record = record
  }

  /// The vault closed, the services down.
  static var lockedHost: StatusFixture {
    var fixture = StatusFixture()
    fixture.observation?.opening = .closed
    fixture.observation?.mount = nil
    for index in fixture.configuration.services.indices { fixture.set(index, "inactive", "dead") }
    return fixture
  }

  mutating func set(_ service: Int, _ activeState: String, _ subState: String) {
    observation?.services?[service].units[0].activeState = activeState
    observation?.services?[service].units[0].subState = subState
    if activeState != "active" { observation?.services?[service].activeSince = nil }
  }

  mutating func busy(_ phase: BootState) {
    locked = true
    record?.busy = BusyRecord(pid: 42, verb: "unlock", by: "root", phase: phase, since: Self.noon - 5)
  }

  var report: StatusReport {
    var input = StatusInput(
      configuration: configuration, observation: observation, record: record, locked: locked, host: "mail",
      bootID: Self.bootID, bootedAt: Self.noon - 600, trouble: trouble)
    input.doorIsLeftShut = doorIsLeftShut
    input.hostTest = hostTest
    input.dnsCheck = dnsCheck
    input.service = service
    return StatusReport(input)
  }
}
