import CLinux
import Glibc
import Linux
import MailbootCore
import SecretMemory
import Systemd

/// Where a passphrase may come from without anybody calling.
enum WaitSource: Equatable {
  case token
  /// A credential that systemd gave us: its path.
  case credential(String)
  case keyFile
  /// systemd's password agents: asked again and again.
  case agents
}

/// Waiting while locked.
extension WaitService {
  /// The names of the credentials in the unit, plain and encrypted.
  private static let credentials = ["mailboot.passphrase", "mailboot.passphrase-encrypted"]

  func wait() {
    // Once each time it is locked: what failed is not tried again and again.
    guard !isWaiting else { return }
    isWaiting = true
    sources = []
    if isLockedSinceBoot { sources = sourcesThatNeedNobody() }
    if configuration.wait.ask { sources.append(.agents) }
    if record.waitingSince == nil {
      record.waitingSince = Reactor.wall()
      record.attemptsFailed = 0
      store()
      journal(.waiting(since: report.since ?? Reactor.wall()))
      report = reader.report()
      emitStatus(changed: false)
    }
    if let every = configuration.notify.remindEvery { due[.reminder] = Reactor.monotonic() + Double(every) }
    schedule(.source)
  }

  /// Not locked by anybody since, on purpose or because an unlock failed: what needs nobody would undo the one at once, and repeat
  /// the other for ever. Nor closed by hand: whoever does that is at work on the disk.
  private var isLockedSinceBoot: Bool { !record.wasOpen && isUntouched }

  /// Whether no run has unlocked or locked it in this boot.
  private var isUntouched: Bool {
    guard let last = directory.record(), last.bootID == bootID() else { return true }
    return last.lockedSince == nil && last.lastUnlock == nil
  }

  /// Goes on from a vault that is open without our doing, in the cases that `complete` in `[wait]` names. One without encryption is
  /// always open.
  /// - Parameters:
  ///   - before: the look before this one; nil: this is the first.
  ///   - isNewBoot: whether no earlier life of this service has seen this boot.
  func completeWhatOthersOpened(since before: StatusReport?, isNewBoot: Bool = false) {
    guard report.vault.open, report.state == .degraded, !isRunAtWork, configuration.wait.complete != false else {
      return
    }
    let mayBegin: Bool
    if !report.vault.type.isEncrypted {
      mayBegin = before == nil && isUntouched
    } else if let before {
      // A run has the lock while it opens.
      let isByOthers = !before.vault.open && before.busy == nil && before.lastUnlock == report.lastUnlock
      mayBegin = isByOthers && (configuration.wait.complete == true || isUntouched && systemIsStarting())
    } else {
      mayBegin = isNewBoot && isUntouched
    }
    guard mayBegin else { return }
    do {
      try start(.init(job: .unlock, source: .none, by: "mailboot", arguments: []), input: nil, call: nil)
    } catch {
      warn(error.summary)
    }
  }

  private func sourcesThatNeedNobody() -> [WaitSource] {
    var sources: [WaitSource] = []
    if configuration.wait.token, configuration.vault.kind.hasTokens { sources.append(.token) }
    if let directory = getenv("CREDENTIALS_DIRECTORY").map({ String(cString: $0) }) {
      for name in Self.credentials where access("\(directory)/\(name)", R_OK) == 0 {
        sources.append(.credential("\(directory)/\(name)"))
      }
    }
    if configuration.wait.keyFile != nil { sources.append(.keyFile) }
    return sources
  }

  func stopWaiting() {
    question?.withdraw()
    question = nil
    sources = []
    isWaiting = false
    due[.source] = nil
    due[.reminder] = nil
    guard record.waitingSince != nil else { return }
    record.waitingSince = nil
    store()
  }

  func remind() {
    guard report.needsPassphrase, let every = configuration.notify.remindEvery else { return }
    journal(
      .reminder(
        locked: Reactor.wall() - (report.since ?? record.waitingSince ?? Reactor.wall()), refused: record.attemptsFailed
      ))
    runScripts(NotifyEvent(.reminder, previousState: report.state, report: report))
    schedule(.reminder, in: Double(every))
  }

  /// A source that has just come, such as a device with the key file.
  func tryFirst(_ source: WaitSource) {
    guard report.needsPassphrase, record.waitingSince != nil else { return }
    sources.removeAll { $0 == source }
    sources.insert(source, at: 0)
    schedule(.source)
  }

  /// Tries the next source; one run at a time.
  func trySource() {
    guard report.needsPassphrase, !isRunAtWork, let source = sources.first else { return }
    let rest = delay.remaining(at: Reactor.monotonic())
    if rest > 0 { return schedule(.source, in: rest) }
    if source != .agents { sources.removeFirst() }
    do throws(Failure) {
      switch source {
      case .token: try start(.init(job: .unlock, source: .token, arguments: ["--token"]), input: nil, call: nil)
      case .credential(let path): try startWithFile(path, .credential)
      case .keyFile: try startWithKeyFile()
      case .agents: try ask()
      }
    } catch {
      warn(error.summary)
      if !sources.isEmpty { schedule(.source, in: source == .agents ? 60 : 0.1) }
    }
  }

  private func startWithFile(_ path: String, _ source: UnlockSource) throws(Failure) {
    let descriptor = mb_open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0)
    guard descriptor >= 0 else { throw .system("\(path): \(errnoText())") }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, mb_s_isreg(status.st_mode) != 0 else {
      throw .system("\(path) is not a regular file")
    }
    try start(.init(job: .unlock, source: source), input: descriptor, call: nil)
  }

  /// The run mounts the device and reads the file: mounting is nothing that this process may.
  private func startWithKeyFile() throws(Failure) {
    guard let file = configuration.wait.keyFile else { return }
    if let device = configuration.wait.keyDevice {
      guard isThere(.device(forPath: DeviceResolver.path(for: device))) else { return schedule(.source) }
      return try start(.init(job: .unlock, source: .keyFile, arguments: ["--key-from-device"]), input: nil, call: nil)
    }
    guard access(file, F_OK) == 0 else {
      warn("the key file \(file) is not to be seen: \(errnoText())")
      return schedule(.source)
    }
    try startWithFile(file, .keyFile)
  }

  /// Asked of systemd: this process sees no devices.
  private func isThere(_ device: UnitName) -> Bool {
    do throws(BusError) {
      return try SystemdManager().states(of: [device])[device]?.isActive ?? false
    } catch {
      warn("\(device): \(error)")
      return false
    }
  }

  // MARK: Password agents

  private func ask() throws(Failure) {
    guard question == nil else { return }
    let refused = delay.refused == 0 ? "" : " (\(delay.refused) refused)"
    PasswordQuestion.withdrawAbandoned()
    do {
      // A fresh question for each try: an answered one answers nobody else.
      question = try PasswordQuestion(message: "Passphrase of the mail vault on \(report.host)\(refused):")
    } catch {
      throw .system("password agents cannot be asked: \(error)")
    }
  }

  func readAgentAnswer() {
    guard let question else { return }
    do throws(PasswordQuestionError) {
      switch try question.receive() {
      case .none: return
      case .refused(let why): return warn("a password agent: \(why)")
      case .cancelled(let pid):
        warn("the question for the passphrase was declined by process \(pid)")
        withdraw(askAgainIn: 60)
      case .secret(let secret, let pid):
        withdraw(askAgainIn: nil)
        submit(secret, from: pid)
      }
    } catch {
      warn("a password agent: \(error)")
      withdraw(askAgainIn: 60)
    }
  }

  private func withdraw(askAgainIn seconds: Double?) {
    question?.withdraw()
    question = nil
    if let seconds { schedule(.source, in: seconds) }
  }

  private func submit(_ secret: borrowing SecretBytes, from pid: Int32) {
    var ends: [Int32] = [-1, -1]
    guard mb_pipe_cloexec(&ends) == 0 else { return warn("pipe: \(errnoText())") }
    defer { for end in ends where end >= 0 { close(end) } }
    do {
      // Agents send less than a pipe takes at once.
      try write(secret, to: ends[1])
      close(ends[1])
      ends[1] = -1
      let by = loginUser(of: UInt32(bitPattern: pid)) ?? "root"
      try start(.init(job: .unlock, source: .agent, by: by), input: ends[0], call: nil)
    } catch {
      warn("the passphrase of a password agent: \(error)")
      schedule(.source, in: 10)
    }
  }
}
