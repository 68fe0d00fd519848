import Foundation
import Systemd
import Testing

/// A systemd of its own for one test: a user's manager, which is the same program as the system's.
///
/// It starts nothing but what the test asks for, and has a bus of its own. The journal is out of its reach.
final class UserManager {
  /// Only root may give it a `/run` of its own, in which it believes that the system runs systemd.
  static let canRun = geteuid() == 0

  private let directory: String
  /// systemd's own socket, without a bus daemon between.
  private let address: String
  /// The bus that systemd starts, and joins, with the first connection.
  let busAddress: String
  private let process = Process()

  init() throws {
    var template = Array("/tmp/mailboot-systemd.XXXXXX".utf8CString)
    guard let made = mkdtemp(&template) else { throw CocoaError(.fileWriteUnknown) }
    directory = String(cString: made)
    let runtime = directory + "/run"
    address = "unix:path=\(runtime)/systemd/private"
    busAddress = "unix:path=\(runtime)/bus"
    for path in [directory + "/units", runtime] {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    }
    try Data(PrivateBus.configuration(listen: "systemd:").utf8).write(to: URL(fileURLWithPath: directory + "/bus.conf"))
    // systemd joins the bus once units of these names run.
    try write("dbus.socket", "[Unit]\nDefaultDependencies=no\n[Socket]\nListenStream=%t/bus\n")
    try write(
      "dbus.service",
      """
      [Unit]
      DefaultDependencies=no
      [Service]
      Type=exec
      ExecStart=dbus-daemon --address=systemd: --nofork --nopidfile --nosyslog --config-file=\(directory)/bus.conf
      """)
    // The limit is for tests that end without their clean-up.
    try write("basic.target", "[Unit]\nWants=limit.service dbus.socket\n")
    try write(
      "limit.service",
      "[Unit]\nDefaultDependencies=no\nSuccessAction=exit-force\n[Service]\nType=exec\nExecStart=sleep 300\n")
    process.executableURL = URL(fileURLWithPath: "/usr/bin/unshare")
    process.arguments = [
      "--mount", "sh", "-c",
      "mount -t tmpfs none /run && mkdir -p /run/systemd/system && exec /lib/systemd/systemd --user --unit=basic.target",
    ]
    process.environment = [
      "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "XDG_RUNTIME_DIR": runtime,
      "SYSTEMD_UNIT_PATH": directory + "/units",
      "SYSTEMD_LOG_TARGET": "null", "DBUS_SESSION_BUS_ADDRESS": busAddress,
    ]
    process.standardInput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    try waitUntil("systemd listens") { (try? connect().systemState()) == "running" }
  }

  deinit {
    // SIGRTMIN+24, which Swift cannot see: exit at once.
    kill(process.processIdentifier, 34 + 24)
    // Should it be too broken for that.
    do { try waitUntil("systemd has ended") { !process.isRunning } } catch { kill(process.processIdentifier, SIGKILL) }
    process.waitUntilExit()
    try? FileManager.default.removeItem(atPath: directory)
  }

  /// A connection that is told of the end of jobs.
  func connect() throws -> SystemdManager { try SystemdManager(address: address) }

  /// The bus, once systemd is on it.
  func connectToBus() throws -> BusEndpoint {
    let endpoint = try BusEndpoint(address: busAddress)
    try waitUntil("systemd is on the bus") { try endpoint.owner(of: "org.freedesktop.systemd1") != nil }
    return endpoint
  }

  func write(_ unit: String, _ contents: String) throws {
    try Data(contents.utf8).write(to: URL(fileURLWithPath: directory + "/units/" + unit))
  }
}

extension SystemdManager {
  /// How a job ended.
  func result(of job: JobID) throws -> String {
    var result: String?
    try waitUntil("job \(job) has ended") {
      result = try process().first { $0.id == job }?.result
      return result != nil
    }
    return result ?? ""
  }

  func activeState(of unit: UnitName) throws -> String? { try states(of: [unit])[unit]?.activeState }
}
