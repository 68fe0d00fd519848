import Glibc
import MailbootCore
import Systemd

/// Looking at the machine, and telling of what has changed.
extension WaitService {
  /// Units whose changes concern us: the services' own, the mount, the mapping and the vault's device, and scripts on their way.
  func watchUnits() {
    var units = Set(scriptRuns.keys)
    for vault in configuration.vaults { units.insert(.mount(forPath: vault.mount)) }
    units.formUnion(reader.watchedUnits)
    for bind in configuration.binds { units.insert(.mount(forPath: bind.to)) }
    if let device = report.vault.device, device.hasPrefix("/dev/") { units.insert(.device(forPath: device)) }
    if let key = configuration.wait.keyDevice { units.insert(.device(forPath: DeviceResolver.path(for: key))) }
    for service in report.services { for unit in service.units { units.insert(UnitName(unit.unit)) } }
    do {
      try watcher.watch(units)
    } catch {
      warn("the units cannot be watched: \(error)")
    }
  }

  func unitChanged(_ event: UnitEvent) {
    switch event {
    case .changed(let change):
      if scriptRuns[change.unit] != nil { return scriptUnitChanged(change) }
      if change.unit == keyDeviceUnit {
        // One that was left plugged in opens nothing.
        if keyDevice.comes(with: change.activeState) { tryFirst(.keyFile) }
        return
      }
      // A run looks itself, and its end is seen by its lock.
      if report.busy != nil { return }
      // A service that has just come up is asked whether it answers, a little later than its start takes.
      if change.activeState == "active", change.unit.type == "service" { schedule(.probe, in: 2) }
      schedule(.observe)
    case .reloading(true): break
    case .reloading(false), .restarted: schedule(.observe)
    }
  }

  private var keyDeviceUnit: UnitName? {
    configuration.wait.keyDevice.map { .device(forPath: DeviceResolver.path(for: $0)) }
  }

  /// Notes whether the key device is there at the start: only one that comes later is new.
  func noteKeyDevice() {
    guard let unit = keyDeviceUnit else { return }
    do throws(BusError) {
      keyDevice = Presence(isThere: try SystemdManager().states(of: [unit])[unit]?.isActive ?? false)
    } catch {
      warn("\(unit): \(error)")
    }
  }

  /// Observes, and has whoever is interested told what is different.
  func observe() {
    let before = report
    let stamp = VerifiedStamp().identity()
    report = reader.report()
    // The end of a run is told by its lock; whoever removes that takes it away from us, too.
    if report.busy != nil {
      schedule(.observe, in: 5)
      queue.abandon()
    }
    let devices = (before.vault.device, before.services.map(\.units))
    if devices.0 != report.vault.device
      || devices.1.map({ $0.map(\.unit) }) != report.services.map({ $0.units.map(\.unit) })
    {
      watchUnits()
    }
    updateMetrics()
    if !report.isSame(as: before) { emitStatus(changed: before.state != report.state) }
    if before.state != report.state { notifier?.status(report.summary(now: Reactor.wall())) }
    switch report.state {
    case .locked:
      // A unit that goes down with a shutdown is not to be asked for; see `announce`.
      if announced == nil { announce() } else if announced != .locked { schedule(.announce, in: 0.5) }
    case .ready: if announced != .ready || !failedServices.isEmpty { schedule(.announce) }
    case .degraded:
      // Services that are being restarted come back within seconds: only what stays is news.
      if announced == nil { announce() } else { schedule(.announce, in: 3) }
    case .unknown: if announced != .unknown { schedule(.announce, in: 3) }
    case .opening, .mounting, .verifying, .starting, .locking: due[.announce] = nil
    }
    if report.vault.open { stopWaiting() }
    noteForRecovery()
    followTheVault(since: before, stamp: stamp)
    if report.vault.open, due[.probe] == nil, probes.isEmpty {
      schedule(.probe, in: Double(configuration.monitoring.probeEvery))
    }
    if !report.vault.open { due[.probe] = nil }
  }

  /// What others do to the vault.
  /// - Parameter stamp: as it was before this look.
  private func followTheVault(since before: StatusReport, stamp: String?) {
    guard report.vault.type.isEncrypted else { return }
    if report.vault.open, !record.wasOpen {
      record.wasOpen = true
      store()
    }
    // Unmounted without us it is to be verified anew.
    if report.busy == nil, !report.vault.mounted { VerifiedStamp().remove(ifStill: stamp) }
    completeWhatOthersOpened(since: before)
  }

  /// The state has lasted: journal, scripts, and whatever follows from it.
  func announce() {
    let state = report.state
    guard ![.opening, .mounting, .verifying, .starting, .locking].contains(state) else { return }
    if state != announced, state != .ready, announced != nil, systemIsStopping() {
      // At shutdown services, mount and mapping go, as they should.
      return
    }
    announceServices()
    let before = announced
    if state != before { journalChange(to: state, from: before) }
    if report.needsPassphrase && !isRunAtWork { wait() }
    guard state != before else { return }
    announced = state
    announcedAt = Reactor.monotonic()
    runScripts(NotifyEvent(.change, previousState: before, report: report))
  }

  private func journalChange(to state: BootState, from before: BootState?) {
    switch state {
    case .degraded: journal(.degraded(why: report.reasons))
    case .ready where before == .degraded || before == .unknown:
      journal(.recovered(seconds: Reactor.monotonic() - announcedAt))
    default: break
    }
  }

  private func announceServices() {
    guard report.vault.open else {
      failedServices = [:]
      return
    }
    for service in report.services {
      if service.ready, let since = failedServices.removeValue(forKey: service.name) {
        journal(.serviceRecovered(service.name, seconds: Reactor.monotonic() - since))
      } else if !service.ready, failedServices[service.name] == nil, announced == .ready || announced == .degraded {
        failedServices[service.name] = Reactor.monotonic()
        let down = service.units.filter { !$0.isActive }.map { "\($0.unit) is \($0.activeState) (\($0.subState))" }
        journal(
          .serviceFailed(service.name, why: down.isEmpty ? service.detail ?? "" : down.joined(separator: ", ")))
      }
    }
  }

  /// Whether the machine is still booting.
  func systemIsStarting() -> Bool {
    do {
      return ["initializing", "starting"].contains(try endpoint.systemState())
    } catch {
      warn("systemd does not say whether it is still starting: \(error)")
      return false
    }
  }

  private func systemIsStopping() -> Bool {
    do {
      return try endpoint.systemState() == "stopping"
    } catch {
      // Gone at shutdown, more likely than not.
      return true
    }
  }

  func updateMetrics() {
    if let problem = metrics?.update(report.prometheus(version: version)) { warn(problem) }
  }
}
