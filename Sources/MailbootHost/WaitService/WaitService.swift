import CLinux
import Glibc
import Linux
import MailbootCore
import SecretMemory
import Systemd

/// `mailboot wait`: from boot on it waits for the passphrase, has runs do the work, watches what they brought up, and tells everybody.
///
/// One thread, one poll. It never touches the vault itself and never sees a passphrase that comes over the bus: the runs are units of
/// their own (`RunUnit`). What it knows it observes; killed and started anew it goes on from where the machine is.
public final class WaitService {
  static let name = "org.mailboot1"
  static let path = "/org/mailboot1"
  static let interface = "org.mailboot1.Manager"
  /// Who may unlock beside root.
  static let group = "mailboot"

  /// What is to be done at a time, when nothing else wakes us.
  enum Timer: CaseIterable {
    case keepAlive, observe, announce, reminder, source, probe, restart
  }

  let configuration: Configuration
  /// `--config` for the runs; nil: the standard file.
  let configurationPath: String?
  let version: String
  /// Where `mailboot` lies, for the runs.
  let program: String
  let reactor: Reactor
  let directory: RuntimeDirectory
  let endpoint: BusEndpoint
  let watcher: UnitWatcher
  let notifier: ServiceNotifier?
  let worker: Worker
  let files: Inotify
  let object = BusObject(path: path, interface: interface, methods: methods, introspection: introspection)

  /// When each timer is due, monotonic seconds.
  var due: [Timer: Double] = [:]
  var record: WaitServiceRecord
  /// Whether no earlier life of this service has seen this boot.
  let isNewBoot: Bool
  let reader: StatusReader
  /// The status as last looked at.
  var report: StatusReport { didSet { rendered = nil } }
  /// The properties made of it, and when, monotonic seconds: everybody may ask for them without end.
  var rendered: (properties: [String: BusValue], at: Double)?
  /// The last state that was announced: runs come and go in between.
  var announced: BootState?
  var announcedAt = Reactor.monotonic()
  /// Services that were announced as failed, and since when, monotonic seconds.
  var failedServices: [String: Double] = [:]
  /// What holds up sources that nobody calls with.
  var delay = AttemptDelay()
  /// What holds up those who call.
  var callerDelays = CallerDelays()
  /// When the last `Verify` of somebody other than root ended, monotonic seconds.
  var membersVerifyEnded = -Double.infinity
  var runs: [RunUnit] = []
  var runCount = 0
  /// Where else a passphrase may come from, in order; empty when all were tried.
  var sources: [WaitSource] = []
  /// Whether the sources of this time of being locked were begun.
  var isWaiting = false
  var question: PasswordQuestion?
  var probes: [String: ChildProcess] = [:]
  /// When one that has not ended is given up, monotonic seconds.
  var probesEnd = Double.infinity
  var keyDevice = Presence()
  /// What the last failed attempt to start services again said, unless one has succeeded since.
  var toldFailure: String?
  var recovery = Recovery()
  var scripts: NotifyScripts
  var scriptRuns: [UnitName: ScriptUnit] = [:]
  var metrics: MetricsFile?
  let certificates: CertificateWatch
  let queue: QueueWatch

  /// - Parameter version: for the bus property and the metrics.
  /// - Throws: also when another one runs, or the bus does not give us the name.
  public init(
    configuration: Configuration, configurationPath: String?, version: String, reactor: Reactor,
    notifier: ServiceNotifier?, directory: RuntimeDirectory = RuntimeDirectory()
  ) throws(Failure) {
    self.configuration = configuration
    self.configurationPath = configurationPath
    self.version = version
    self.reactor = reactor
    self.directory = directory
    self.notifier = notifier
    worker = try Worker()
    program = try InstalledProgram.own()
    certificates = CertificateWatch(configuration, worker: worker)
    queue = QueueWatch(worker: worker)
    guard try directory.lockForWaitService() else { throw .system("another `mailboot wait` is running") }
    // The lock is closed when a run ends, however it does.
    files = try Inotify(directory: directory.path) { ["state.json", "lock"].contains($0) }
    do {
      endpoint = try BusEndpoint()
      try endpoint.requestName(Self.name)
      watcher = try UnitWatcher(on: endpoint)
    } catch {
      throw error.isNoBus ? .noBus(error.message) : .system("the bus: \(error)")
    }
    let boot = bootID()
    let known = directory.waitServiceRecord().flatMap { $0.bootID == boot ? $0 : nil }
    record = known ?? WaitServiceRecord(bootID: boot)
    isNewBoot = known == nil
    reader = StatusReader(configuration: configuration, directory: directory, restsDuringRuns: true)
    report = reader.report()
    scripts = NotifyScripts(directory: configuration.notify.directory)
    metrics = configuration.monitoring.prometheusFile.map(MetricsFile.init(path:))
  }

  /// Runs until a signal ends it.
  public func run() throws(Failure) {
    do throws(Failure) {
      try begin()
      while true { try turn() }
    } catch .interrupted {
      end()
    }
  }

  private func begin() throws(Failure) {
    watchUnits()
    noteKeyDevice()
    if let interval = notifier?.watchdogMicroseconds { due[.keepAlive] = Reactor.monotonic() + Double(interval) / 2e6 }
    // Waiting from an earlier life of this service goes on; its question does not.
    record.waitingSince = report.needsPassphrase ? record.waitingSince : nil
    observe()
    completeWhatOthersOpened(since: nil, isNewBoot: isNewBoot)
    store()
    notifier?.ready(status: report.summary(now: Reactor.wall()))
  }

  private func end() {
    notifier?.stopping()
    question?.withdraw()
    question = nil
    for child in probes.values { child.killAndReap() }
    certificates.abandon()
    queue.abandon()
    metrics?.remove()
    for run in runs { try? run.call?.replyError(Self.left, "the service ends; \(run.unit) goes on") }
    runs.removeAll()
    try? endpoint.flush()
  }

  /// What a service that did not end by itself has left behind, in its name.
  public static func clearRemains(_ configuration: Configuration) {
    guard var metrics = configuration.monitoring.prometheusFile.map(MetricsFile.init(path:)) else { return }
    metrics.remove()
  }

  /// Waits for whatever comes first, and deals with everything that has come.
  private func turn() throws(Failure) {
    // While nobody takes what was answered, nothing more is answered: else whoever asks without end fills our memory.
    let isBacklogged = endpoint.hasBacklog
    var entries = [
      pollfd(
        fd: endpoint.descriptor, events: isBacklogged ? Int16(POLLOUT) : endpoint.pollEvents(), revents: 0),
      files.entry,
    ]
    if let question { entries.append(pollfd(fd: question.descriptor, events: Int16(POLLIN), revents: 0)) }
    entries += runs.map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) }
    entries += probes.values.flatMap(\.pollDescriptors)
    let busDue = isBacklogged ? nil : endpoint.timeoutMicroseconds().map { Double($0) / 1e6 }
    try reactor.wait(
      &entries, until: [due.values.min(), busDue, probes.isEmpty ? nil : probesEnd].compactMap { $0 }.min())

    if !isBacklogged || entries[0].revents != 0 { readBus() }
    readAgentAnswer()
    for run in runs { readMessages(of: run) }
    collectProbes()
    if files.changed() { schedule(.observe) }
    let now = Reactor.monotonic()
    for timer in Timer.allCases {
      guard let time = due[timer], time <= now else { continue }
      due[timer] = nil
      fire(timer)
    }
  }

  /// Has a timer fire in a moment: what belongs together comes together.
  func schedule(_ timer: Timer, in seconds: Double = 0.1) {
    let time = Reactor.monotonic() + seconds
    due[timer] = min(due[timer] ?? time, time)
  }

  private func fire(_ timer: Timer) {
    switch timer {
    case .keepAlive:
      notifier?.keepAlive()
      if let interval = notifier?.watchdogMicroseconds { schedule(.keepAlive, in: Double(interval) / 2e6) }
    case .observe: observe()
    case .announce: announce()
    case .reminder: remind()
    case .source: trySource()
    case .probe: beginProbes()
    case .restart: restartFailed()
    }
  }

  // MARK: Words for the journal

  func journal(_ event: JournalEvent) { writeToJournal(event) }

  /// Something that holds nothing up.
  func warn(_ text: String) { JournalEntry(text, priority: .warning).write() }

  func store() {
    do { try directory.store(record) } catch { warn(error.summary) }
  }
}
