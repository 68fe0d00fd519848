import Foundation
import Systemd
import TestSupport
import Testing

/// A systemd of its own for one test: a user's manager, which is the same program as the system's.
///
/// It starts nothing but what the test asks for, and has a bus of its own. The journal is out of its reach.
final class UserManager {
  /// Only root may give it a `/run` of its own, in which it believes that the system runs systemd.
  static let canRun = geteuid() == 0

  private let directory: TemporaryDirectory
  /// systemd's own socket, without a bus daemon between.
  private let address: String
  /// The bus that systemd starts, and joins, with the first connection.
  let busAddress: String
  private let process = Process()

  /// - Parameter prelude: what a shell does before it becomes systemd, in the same mount namespace.
  init(prelude: String = "") throws {
    directory = try TemporaryDirectory()
    let runtime = directory.file("run")
    address = "unix:path=\(runtime)/systemd/private"
    busAddress = "unix:path=\(runtime)/bus"
    try FileManager.default.createDirectory(atPath: runtime, withIntermediateDirectories: false)
    let busConfiguration = try directory.write("bus.conf", PrivateBus.configuration(listen: "systemd:"))
    // systemd joins the bus once units of these names run.
    try write("dbus.socket", "[Unit]\nDefaultDependencies=no\n[Socket]\nListenStream=%t/bus\n")
    try write(
      "dbus.service",
      """
      [Unit]
      DefaultDependencies=no
      Conflicts=exit.target
      Before=exit.target
      [Service]
      Type=exec
      ExecStart=dbus-daemon --address=systemd: --nofork --nopidfile --nosyslog --config-file=\(busConfiguration)
      """)
    try write("basic.target", "[Unit]\nWants=dbus.socket\n")
    // What SIGTERM starts.
    try write("exit.target", "[Unit]\nDefaultDependencies=no\nSuccessAction=exit-force\n")
    // The limit is for tests that end without their clean-up; only SIGKILL ends it, see `PrivateBus`. In a process namespace of its
    // own systemd would refuse us.
    process.executableURL = URL(fileURLWithPath: "/usr/bin/timeout")
    process.arguments =
      [
        "-s", "KILL", "300", "unshare", "--mount", "sh", "-ec",
        """
        mount -t tmpfs none /run
        mkdir -p /run/systemd/system
        for cgroup in "$@"; do mkdir "$cgroup"; echo 0 > "$cgroup/cgroup.procs"; done
        \(prelude)
        exec /lib/systemd/systemd --user --unit=basic.target
        """, "sh",
      ] + cgroups
    process.environment = [
      "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "XDG_RUNTIME_DIR": runtime,
      "SYSTEMD_UNIT_PATH": directory.file("units"),
      "SYSTEMD_LOG_TARGET": "null", "DBUS_SESSION_BUS_ADDRESS": busAddress,
      // What it starts takes it for the system's.
      "DBUS_SYSTEM_BUS_ADDRESS": busAddress,
    ]
    process.standardInput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    try waitUntil("systemd listens") { (try? connect().systemState()) == "running" }
  }

  deinit {
    // systemd and timeout(1), a process group of their own; then systemd's services.
    kill(-process.processIdentifier, SIGKILL)
    process.waitUntilExit()
    do { try waitUntil("all its processes have ended", removeCgroups) } catch { Issue.record(error) }
  }

  /// Of its own: managers that share one end each other's services of the same name. One in each hierarchy that systemd uses.
  private var cgroups: [String] {
    ["/sys/fs/cgroup", "/sys/fs/cgroup/systemd", "/sys/fs/cgroup/unified"]
      .filter { access($0 + "/cgroup.procs", W_OK) == 0 }
      .map { $0 + "/" + (directory.path as NSString).lastPathComponent }
  }

  /// Ends what is left in them. Whether they are gone: one with a process in it stays.
  private func removeCgroups() -> Bool {
    for cgroup in cgroups {
      let inner = FileManager.default.subpaths(atPath: cgroup) ?? []
      for path in inner where path.hasSuffix("cgroup.procs") {
        let processes = (try? String(contentsOfFile: cgroup + "/" + path, encoding: .utf8)) ?? ""
        for process in processes.split(separator: "\n").compactMap({ pid_t($0) }) where process > 0 {
          kill(process, SIGKILL)
        }
      }
      // The longest first: an inner one is longer than the one around it. Of the files none can be removed this way.
      for path in inner.sorted(by: { $0.utf8.count > $1.utf8.count }) { rmdir(cgroup + "/" + path) }
      rmdir(cgroup)
    }
    return cgroups.allSatisfy { access($0, F_OK) != 0 }
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
    try directory.write("units/" + unit, contents)
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
