import CLinux
import Glibc
import Linux
import MailbootCore
import Systemd

/// A script on its way.
struct ScriptUnit {
  var path: String
  /// Monotonic seconds.
  var begun: Double
  /// Whether systemd has told that it starts: a new unit is first of all inactive.
  var hasStarted = false
}

/// The executables of `notify.d`: each a unit of its own, with a time limit, its output in the journal, and every process of it gone
/// when it has ended. Nobody waits for them.
extension WaitService {
  /// Scripts at once; more than that are not notifications any more.
  private static let mostScripts = 64

  func runScripts(_ event: NotifyEvent) {
    let (paths, problems) = scripts.current()
    for problem in problems { warn(problem.description) }
    guard !paths.isEmpty else { return }
    // One that ended well may be forgotten before we hear of it.
    let now = Reactor.monotonic()
    scriptRuns = scriptRuns.filter { now - $0.value.begun < Double(configuration.notify.timeout) + 60 }
    let input = event.input
    let environment = event.environment(now: Reactor.wall())
    for path in paths {
      guard scriptRuns.count < Self.mostScripts else {
        return warn("too many notifications on their way: \(path) is not run")
      }
      do {
        try runScript(path, input: input, environment: environment)
      } catch {
        journal(.notifyFailed(script: path, why: error.summary))
      }
    }
  }

  private func runScript(_ path: String, input: String, environment: [String]) throws(Failure) {
    let descriptor = mb_memfd_create("status")
    guard descriptor >= 0 else { throw .system("no input for it: \(errnoText())") }
    defer { close(descriptor) }
    let bytes = Array(input.utf8)
    guard bytes.withUnsafeBytes({ write(descriptor, $0.baseAddress, $0.count) }) == bytes.count,
      lseek(descriptor, 0, SEEK_SET) == 0
    else { throw .system("no input for it: \(errnoText())") }
    runCount += 1
    let unit = UnitName("mailboot-notify-\(getpid())-\(runCount).service")
    scriptRuns[unit] = ScriptUnit(path: path, begun: Reactor.monotonic())
    watchUnits()
    let service = TransientService(
      name: unit, description: "mailboot notification \(path)", executable: path, environment: environment,
      standardInput: descriptor, syslogIdentifier: "mailboot-notify",
      runtimeMaxMicroseconds: UInt64(configuration.notify.timeout) * 1_000_000, timeoutStopMicroseconds: 5_000_000,
      extra: [
        // A unit that has failed stays until we have seen it: one that is forgotten at once tells nobody how it ended.
        UnitProperty("CollectMode", .string("inactive")),
        // What no script misses. Not NoNewPrivileges=: it may call sudo, or sendmail.
        UnitProperty("LimitCORE", .uint64(0)), UnitProperty("LimitCORESoft", .uint64(0)),
        UnitProperty("LockPersonality", .bool(true)), UnitProperty("RestrictRealtime", .bool(true)),
      ])
    do {
      _ = try SystemdManager().start(service)
    } catch {
      scriptRuns[unit] = nil
      throw Failure(error)
    }
  }

  /// What systemd tells of a script's unit.
  func scriptUnitChanged(_ change: UnitChange) {
    guard let state = change.activeState, let run = scriptRuns[change.unit] else { return }
    guard state == "failed" || state == "inactive" && run.hasStarted else {
      if state != "inactive" { scriptRuns[change.unit]?.hasStarted = true }
      return
    }
    scriptRuns[change.unit] = nil
    watchUnits()
    guard state == "failed" else { return }
    do throws(BusError) {
      try SystemdManager().resetFailed(change.unit)
    } catch  where error.isNoSuchUnit {
    } catch {
      warn("\(change.unit): \(error)")
    }
    let limit = Double(configuration.notify.timeout)
    if Reactor.monotonic() - run.begun >= limit {
      journal(.notifyTimedOut(script: run.path, seconds: limit))
    } else {
      journal(.notifyFailed(script: run.path, why: "see `journalctl -t mailboot-notify`"))
    }
  }
}
