import CLinux
import Glibc
import MailbootCore
import Systemd

/// `mailboot status`: needs no privilege, starts no process, changes nothing.
public struct StatusReader {
  private let configuration: Configuration
  private let directory: RunDirectory

  public init(configuration: Configuration, directory: RunDirectory = RunDirectory()) {
    self.configuration = configuration
    self.directory = directory
  }

  public func report() -> StatusReport {
    var trouble: [String] = []
    let record = directory.record()
    var observation: Observation?
    let observer = Observer(configuration: configuration)
    do {
      observation = try observer.storage()
    } catch {
      trouble.append(error.summary)
    }
    do {
      let manager = try SystemdManager()
      observation?.services = try observer.services(manager, record: record)
    } catch {
      trouble.append(Failure(error).summary)
    }
    var input = StatusInput(
      configuration: configuration, observation: observation, record: record,
      locked: directory.isLocked(), host: hostName(), bootID: bootID(), bootedAt: bootTime(), trouble: trouble)
    input.manager = directory.managerRecord()
    input.managerRuns = input.manager != nil && directory.managerRuns()
    input.now = Reactor.wall()
    return StatusReport(input)
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
  var time = timespec()
  clock_gettime(CLOCK_BOOTTIME, &time)
  return Reactor.wall() - Double(time.tv_sec) - Double(time.tv_nsec) / 1e9
}
