import CLinux
import Glibc
import JSON
import Linux
import MailbootCore
import Systemd

/// `mailboot status`: needs no privilege, changes nothing, starts no process but to ask a FUSE file system for its space.
public final class StatusReader {
  private let configuration: Configuration
  private let directory: RuntimeDirectory
  private let restsDuringRuns: Bool
  private let observer: Observer
  /// The services as last asked for.
  private var services: [ServiceStatus]?
  private var asked = -Double.infinity
  /// Seconds for which an answer will do while a run is on its way.
  private static let restingTime = 10.0

  /// - Parameter restsDuringRuns: while a run is on its way, ask systemd every 10 s only: whoever
  ///   looks at each step of a run would otherwise keep systemd busier than the run itself does.
  public init(
    configuration: Configuration, directory: RuntimeDirectory = RuntimeDirectory(), restsDuringRuns: Bool = false
  ) {
    self.configuration = configuration
    self.directory = directory
    self.restsDuringRuns = restsDuringRuns
    observer = Observer(configuration)
  }

  /// Units whose changes tell something about the vault, besides its mount.
  var watchedUnits: [UnitName] { ([observer.kind] + observer.others).flatMap(\.watchedUnits) }

  public func report() -> StatusReport {
    var trouble: [String] = []
    let record = directory.record()
    let service = directory.waitServiceRecord()
    // A run says that it is busy as soon as it has the lock. To tell who holds locks the kernel waits for all processors (16 ms when
    // emulated): it is asked only where that matters.
    let isLocked = record?.busy != nil && directory.isLocked()
    var observation: Observation?
    do {
      observation = try observer.storage()
    } catch {
      trouble.append(error.summary)
    }
    do {
      let now = Reactor.monotonic()
      if !restsDuringRuns || !isLocked || services == nil || now - asked > Self.restingTime {
        services = nil
        asked = now
        services = try observer.services(try SystemdManager())
      }
      observation?.services = services
    } catch {
      trouble.append(Failure(error).summary)
    }
    var input = StatusInput(
      configuration: configuration, observation: observation, record: record,
      locked: isLocked, host: hostName(), bootID: bootID(), bootedAt: bootTime(), trouble: trouble)
    input.service = service
    input.waitServiceRuns =
      observation?.opening.isOpen != true && service?.waitingSince != nil && directory.waitServiceRuns()
    // Shut before it has the lock, or opened after it let go of it, no run leaves it.
    input.doorIsLeftShut = access(directory.path + "/door", F_OK) == 0 && !directory.isLocked()
    input.hostTest = Self.hostTest()
    input.dnsCheck = Self.dnsCheck()
    input.now = Reactor.wall()
    return StatusReport(input)
  }

  /// What the last `mailhost dns check` left, if it can be read.
  private static func dnsCheck() -> DNSCheckRecord? {
    guard let bytes = readSmallFile(DNSCheckRecord.path, flags: O_NOFOLLOW) else { return nil }
    return JSONText(parsing: bytes).flatMap(DNSCheckRecord.init(json:))
  }

  /// What the last `mailhost test` left, if it can be read.
  private static func hostTest() -> HostTestRecord? {
    guard let bytes = readSmallFile(HostTestRecord.path, flags: O_NOFOLLOW) else { return nil }
    return JSONText(parsing: bytes).flatMap(HostTestRecord.init(json:))
  }
}

/// The machine's name, as the kernel has it.
public func hostName() -> String {
  var bytes = [CChar](repeating: 0, count: 256)
  guard gethostname(&bytes, bytes.count - 1) == 0 else { return "" }
  return String(decoding: bytes.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

/// When the machine booted, seconds since 1970.
private func bootTime() -> Double {
  wallSeconds() - bootSeconds()
}
