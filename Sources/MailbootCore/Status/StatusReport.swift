/// The answer to `mailboot status`: what is true now, with the last answers of checks and probes.
public struct StatusReport: Equatable, Sendable {
  public struct Vault: Equatable, Sendable {
    public var name: String
    public var type: VaultType
    public var device: String?
    public var uuid: String?
    /// Nil: its kind has none.
    public var mapping: String?
    public var open: Bool
    /// Neither open nor closed, see `Opening`; not in the JSON, where the reasons say why.
    public var broken: Bool
    public var mount: String
    public var mounted: Bool
    public var sizeBytes: UInt64?
    public var availableBytes: UInt64?

    init(_ vault: Configuration.Vault, _ observed: ObservedVault?) {
      name = vault.name
      type = vault.kind
      device = observed?.opening.vault?.backing ?? vault.shownDevice
      uuid = observed?.opening.vault?.uuid
      mapping = vault.mappingName
      open = observed?.opening.isOpen ?? false
      if case .broken? = observed?.opening { broken = true } else { broken = false }
      mount = vault.mount
      mounted = observed?.isMounted ?? false
      sizeBytes = mounted ? observed?.mount?.sizeBytes : nil
      availableBytes = mounted ? observed?.mount?.availableBytes : nil
    }
  }

  public struct Service: Equatable, Sendable {
    public var name: String
    public var units: [UnitStatus]
    public var ready: Bool
    public var probe: String?
    /// Seconds since 1970; nil when there is no probe, or none since the units' last start.
    public var probedAt: Double?
    public var detail: String?
    public var since: Double?
  }

  /// The service in wait mode, while it waits for a passphrase.
  public struct Waiting: Equatable, Sendable {
    /// Seconds since 1970.
    public var since: Double
    public var seconds: Double
    public var attemptsFailed: Int

    public init(since: Double, seconds: Double, attemptsFailed: Int) {
      self.since = since
      self.seconds = seconds
      self.attemptsFailed = attemptsFailed
    }
  }

  public var state: BootState
  public var since: Double?
  public var host: String
  public var bootID: String
  public var vault: Vault
  /// The further ones, in the order in which they are opened.
  public var otherVaults: [Vault]
  public var checks: [CheckRecord]
  public var services: [Service]
  /// Nil when nothing waits.
  public var waiting: Waiting?
  public var lastUnlock: UnlockRecord?
  public var busy: BusyRecord?
  /// Passphrases that were tried since the boot; in the metrics, not in the JSON.
  public var attempts: AttemptCount
  /// Nil: `mailhost test` was never called.
  public var hostTest: HostTestRecord?
  /// Nil: `mailhost dns check` was never called.
  public var dnsCheck: DNSCheckRecord?
  /// Nil: nobody has counted. Only while the vault is open.
  public var queue: DeferredMail?
  /// Why the state is degraded or unknown, one line each, for people.
  public var reasons: [String]
}

extension StatusReport {
  /// Whether `mailboot` would complete something: somebody else has opened the vault, or a service is down.
  public var canBeCompleted: Bool {
    state == .degraded && vault.open
      && (!vault.mounted || services.contains { !$0.units.allSatisfy(\.isActive) } || !closedVaults.isEmpty)
  }

  /// The further vaults that `mailboot` would bring up, and ask a passphrase for.
  public var closedVaults: [String] { otherVaults.filter { $0.type.isEncrypted && !$0.mounted }.map(\.name) }

  /// Whether nothing goes on before somebody gives the passphrase: locked, or broken down.
  public var needsPassphrase: Bool {
    vault.type.isEncrypted && (state == .locked || state == .degraded && vault.broken)
  }
}

/// What a status is made of.
public struct StatusInput: Sendable {
  public var configuration: Configuration
  /// Nil: sysfs or the mount table could not be read.
  public var observation: Observation?
  public var record: LastResults?
  /// What the service in wait mode noted, and whether it runs.
  public var service: WaitServiceRecord?
  public var waitServiceRuns = false
  /// Seconds since 1970.
  public var now = 0.0
  /// Whether another run holds the lock now.
  public var locked: Bool
  public var host: String
  public var bootID: String
  /// When the machine booted, seconds since 1970.
  public var bootedAt: Double
  /// Why something could not be observed.
  public var trouble: [String]
  /// Whether a killed run has left the door shut.
  public var doorIsLeftShut = false
  /// What the last `mailhost test` found.
  public var hostTest: HostTestRecord?
  /// What the last `mailhost dns check` found.
  public var dnsCheck: DNSCheckRecord?

  public init(
    configuration: Configuration, observation: Observation?, record: LastResults?, locked: Bool, host: String,
    bootID: String, bootedAt: Double, trouble: [String]
  ) {
    self.configuration = configuration
    self.observation = observation
    self.record = record
    self.locked = locked
    self.host = host
    self.bootID = bootID
    self.bootedAt = bootedAt
    self.trouble = trouble
  }
}

extension StatusReport {
  public init(_ input: StatusInput) {
    let configuration = input.configuration
    // A record of another boot says nothing about this one.
    let record = input.record.flatMap { $0.bootID == input.bootID ? $0 : nil }
    let waitService = input.service.flatMap { $0.bootID == input.bootID ? $0 : nil }
    let observation = input.observation
    let open = observation?.opening.isOpen ?? false

    host = input.host
    bootID = input.bootID
    lastUnlock = record?.lastUnlock
    busy = input.locked ? record?.busy : nil
    attempts = record?.attempts ?? AttemptCount()
    hostTest = input.hostTest
    dnsCheck = input.dnsCheck
    vault = Vault(
      configuration.vault, observation.map { ObservedVault(opening: $0.opening, mount: $0.mount) })
    otherVaults = configuration.otherVaults.enumerated().map { index, other in
      Vault(other, observation.flatMap { index < $0.others.count ? $0.others[index] : nil })
    }
    queue = open ? waitService?.queue : nil
    checks = open ? latest(record?.checks ?? [], waitService?.checks ?? []) : []
    services = configuration.services.enumerated().map { index, service in
      Service(
        service, status: observation?.services?[index],
        probe: newer(record?.probes[service.name], waitService?.probes[service.name]))
    }

    waiting = nil
    if !open, !input.locked, input.waitServiceRuns, let since = waitService?.waitingSince {
      waiting = Waiting(
        since: since, seconds: max(0, input.now - since), attemptsFailed: waitService?.attemptsFailed ?? 0)
    }
    reasons = input.trouble
    guard let observation, observation.services != nil else {
      state = .unknown
      since = nil
      return
    }
    if input.locked, let phase = record?.busy?.phase {
      state = phase
      since = record?.busy?.since
      return
    }
    switch observation.opening {
    case .closed:
      state = .locked
      since = record?.lockedSince ?? input.bootedAt
      return
    case .broken(let why):
      reasons.append(why)
      state = .degraded
      since = nil
      return
    case .open: break
    }
    reasons += Self.shortcomings(observation, configuration, checks: checks, services: services)
    if input.doorIsLeftShut {
      reasons.append("a run that was killed has left the door shut, so that it cannot start again: `mailboot` opens it")
    }
    state = reasons.isEmpty ? .ready : .degraded
    since = state == .ready ? services.compactMap(\.since).max() : nil
  }

  private static func shortcomings(
    _ observation: Observation, _ configuration: Configuration, checks: [CheckRecord], services: [Service]
  ) -> [String] {
    var reasons: [String] = []
    let mount = configuration.vault.mount
    if !observation.vaultMounted {
      reasons.append(
        observation.mount.map { "\(mount) holds \($0.source), not the vault" }
          ?? "the vault is open but not mounted on \(mount): `mailboot` mounts it and completes what is missing")
    }
    reasons += observation.opening.vault?.flaws ?? []
    if observation.vaultMounted, observation.mount?.isReadOnly == true, !configuration.vault.options.contains("ro") {
      reasons.append("\(mount) can only be read: no mail can be stored")
    }
    if observation.vaultMounted, let errors = observation.mount?.errors, errors > 0 {
      reasons.append(
        "the file system on \(mount) has errors (\(errors) seen by the kernel): see `journalctl -k`, then have it checked"
      )
    }
    let (ofOthers, closed) = Self.shortcomings(ofOthers: observation, configuration)
    reasons += ofOthers
    for (bind, mounted) in zip(configuration.binds, observation.bindsMounted) where !mounted {
      // The vault's own reason is reason enough.
      if let other = configuration.otherVault(of: bind.from), closed.contains(other.name) { continue }
      reasons.append("\(bind.from) is not mounted on \(bind.to)")
    }
    reasons += checks.filter { $0.result == .fail }.map { "\($0.name.rawValue): \($0.detail)" }
    let absent = configuration.services(without: closed)
    for (index, service) in services.enumerated() where !service.ready {
      if absent.contains(index) && !service.units.contains(where: \.isActive) { continue }
      let down = service.units.filter { !$0.isActive }
      reasons.append(
        down.isEmpty
          ? "\(service.name) does not answer: \(service.units.isEmpty ? "no unit" : service.detail ?? "")"
          : down.map { "\($0.unit) is \($0.activeState) (\($0.subState))" }.joined(separator: ", "))
    }
    return reasons
  }

  /// What is wrong with the further vaults, and the names of those that are not mounted.
  private static func shortcomings(
    ofOthers observation: Observation, _ configuration: Configuration
  ) -> (reasons: [String], closed: Set<String>) {
    var reasons: [String] = []
    var closed: Set<String> = []
    for (vault, observed) in zip(configuration.otherVaults, observation.others) {
      if !observed.isMounted { closed.insert(vault.name) }
      let waiting = configuration.services(without: [vault.name]).sorted().map { configuration.services[$0].name }
      let waits = waiting.isEmpty ? "" : ", and \(waiting.joined(separator: ", ")) waits for it"
      switch observed.opening {
      case .closed:
        reasons.append("the vault \(vault.name) is closed\(waits): `mailboot` brings it up")
      case .broken(let why): reasons.append("the vault \(vault.name): \(why)")
      case .open(let open):
        if !observed.isMounted {
          reasons.append(
            observed.mount.map { "\(vault.mount) holds \($0.source), not the vault \(vault.name)" }
              ?? "the vault \(vault.name) is open but not mounted on \(vault.mount)\(waits): `mailboot` mounts it")
        }
        reasons += open.flaws.map { "the vault \(vault.name): \($0)" }
        if observed.isMounted, observed.mount?.isReadOnly == true, !vault.options.contains("ro") {
          reasons.append("\(vault.mount) can only be read")
        }
        if observed.isMounted, let errors = observed.mount?.errors, errors > 0 {
          reasons.append("the file system on \(vault.mount) has errors (\(errors) seen by the kernel)")
        }
      }
    }
    return (reasons, closed)
  }
}

extension StatusReport.Service {
  init(_ service: Configuration.Service, status: ServiceStatus?, probe: ProbeRecord?) {
    name = service.name
    units = status?.units ?? []
    self.probe = service.probeText
    since = status?.activeSince
    // Before the unit's last start it was another process that answered.
    let started = Double(status?.startedMicroseconds ?? 0) / 1_000_000
    let current = probe.flatMap { $0.at >= started ? $0 : nil }
    probedAt = current?.at
    detail = current?.detail
    ready = (status?.isActive ?? false) && (current?.answered ?? true)
  }
}

/// Of each check the verdict that is less old. One that was not made since is no reason to show an older one of another check.
private func latest(_ checks: [CheckRecord], _ others: [CheckRecord]) -> [CheckRecord] {
  checks.map { check in others.first { $0.name == check.name && $0.at > check.at } ?? check }
}

/// Of two answers of a probe the one that is less old.
private func newer(_ left: ProbeRecord?, _ right: ProbeRecord?) -> ProbeRecord? {
  guard let left, let right else { return left ?? right }
  return left.at >= right.at ? left : right
}
