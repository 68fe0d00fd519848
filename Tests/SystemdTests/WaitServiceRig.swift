import Foundation
import Systemd
import TestSupport
import Testing

/// `mailboot wait` as a unit of a systemd of its own and on a bus of its own, with a vault that gocryptfs can open.
///
/// Whoever speaks to it here is root to it: who may do what is the scenes' to show.
final class WaitServiceRig {
  static let name = "org.mailboot1"
  static let path = "/org/mailboot1"
  static let interface = "org.mailboot1.Manager"
  static let passphrase = "correct horse battery staple"

  let machine: UserManager
  let systemd: SystemdManager
  let place: TemporaryDirectory

  /// - Parameters:
  ///   - configuration: what stands in `mailboot.toml` beside the vault and its one service.
  ///   - watchdog: seconds after which systemd ends a service that does not tell that it is alive.
  ///   - hasMember: whether nobody is in the group that may unlock.
  ///   - isStandard: whether its configuration is where everybody looks for it.
  ///   - program: `mailboot`.
  init(
    configuration: (TemporaryDirectory) throws -> String = { _ in "" }, watchdog: Int = 60, hasMember: Bool = false,
    isStandard: Bool = false,
    program: (TemporaryDirectory) throws -> String = { _ in try builtProgram("mailboot") }
  ) throws {
    place = try TemporaryDirectory()
    let group = try place.write("group", "root:x:0:\nnogroup:x:65534:\nmailboot:x:4711:nobody\n")
    try Self.makeVault(in: place)
    let severities = [
      "mount", "database", "dkim", "certificate", "certificate-expiry", "certificate-names", "free-space", "postfix",
      "dovecot", "rspamd", "maps",
    ].map { "\($0) = \"off\"" }.joined(separator: "\n")
    let file = try place.write(
      "mailboot.toml",
      """
      [vault]
      type = "gocryptfs"
      device = "\(place.file("encrypted"))"
      mount = "\(place.file("vault"))"
      [verify.severity]
      \(severities)
      [notify]
      directory = "/run/notify.d"
      [[service]]
      name = "demo"
      \(try configuration(place))
      """)
    // Only a place where nobody but root can put anything is good for scripts.
    try place.write("note", "#!/bin/sh\necho $MAILBOOT_EVENT $MAILBOOT_STATE >>/run/notified\n", mode: 0o755)
    var prelude = "mkdir /run/notify.d; cp \(place.file("note")) /run/notify.d/10-note\n"
    prelude += hasMember ? "mount --bind \(group) /etc/group\n" : ""
    let arguments = isStandard ? "" : " --config \(file)"
    if isStandard {
      let etc = place.file("etc")
      prelude += "cp -a /etc \(etc); mkdir -p \(etc)/mailboot; cp \(place.file("mailboot.toml")) \(etc)/mailboot\n"
      prelude += "mount --bind \(etc) /etc\n"
    }
    machine = try UserManager(prelude: prelude)
    try machine.write(
      "demo.service",
      "[Unit]\nDefaultDependencies=no\n[Service]\nType=exec\nExecStartPre=sleep 1\nExecStart=sleep 1000\n")
    try machine.write(
      "mailboot.service",
      """
      [Unit]
      DefaultDependencies=no
      [Service]
      Type=notify
      ExecStart=\(try program(place)) wait\(arguments)
      WatchdogSec=\(watchdog)
      """)
    systemd = try machine.connect()
    _ = try machine.connectToBus()
    let result = try systemd.result(of: systemd.start("mailboot.service"))
    guard result == "done" else { throw Overdue(what: "mailboot.service: \(result)") }
  }

  private static func makeVault(in place: TemporaryDirectory) throws {
    for directory in ["encrypted", "vault", "notify.d"] { mkdir(place.file(directory), 0o755) }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/gocryptfs")
    let secret = try place.write("secret", passphrase)
    process.arguments = ["-init", "-q", "-scryptn", "10", "-passfile", secret, place.file("encrypted")]
    process.standardInput = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw Overdue(what: "gocryptfs -init") }
  }

  func connect() throws -> BusEndpoint { try BusEndpoint(address: machine.busAddress) }

  /// A property of the service, waited for `seconds`.
  func property(_ name: String, on client: BusEndpoint, seconds: UInt64 = 25) throws -> BusValue {
    try client.call(
      Self.name, Self.path, "org.freedesktop.DBus.Properties", "Get", [.string(Self.interface), .string(name)],
      timeoutMicroseconds: seconds * 1_000_000
    ).readVariant()
  }

  var state: String? { get throws { try property("State", on: connect()).string } }

  /// Hands a passphrase over.
  /// - Returns: the cookie of the call, which is answered when the run has ended.
  func unlock(
    on client: BusEndpoint, _ passphrase: String = WaitServiceRig.passphrase, options: [String: BusValue] = [:]
  ) throws -> BusEndpoint.Cookie {
    let (read, write) = try makePipe()
    defer {
      read.close()
      write.close()
    }
    write.write(passphrase)
    return try client.send(
      Self.name, Self.path, Self.interface, "Unlock", [.descriptor(read.descriptor), .dictionary(options)],
      timeoutMicroseconds: 60_000_000)
  }

  /// The most memory that the service has had, MiB.
  func mostMemory() throws -> Int {
    let status = try String(contentsOfFile: "/proc/\(try process() ?? "")/status", encoding: .utf8)
    let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") })
    return try #require(line.split(separator: " ").dropFirst().first.flatMap { Int($0) }) / 1024
  }

  /// What the script in `notify.d` was told.
  func notified() throws -> [String] {
    guard let process = try process() else { return [] }
    let text = try? String(contentsOfFile: "/proc/\(process)/root/run/notified", encoding: .utf8)
    return (text ?? "").split(separator: "\n").map(String.init)
  }

  /// What the service's process is; another one after a crash or a missed watchdog.
  func process() throws -> String? {
    try connect().call(
      "org.freedesktop.systemd1", "/org/freedesktop/systemd1/unit/mailboot_2eservice",
      "org.freedesktop.DBus.Properties", "Get", [.string("org.freedesktop.systemd1.Service"), .string("MainPID")]
    ).readVariant().number.map(String.init)
  }
}

/// Runs `body` on a thread that is the user nobody, and whose connections and programs are.
func asNobody<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) throws -> Value {
  let outcome = NobodysOutcome<Value>()
  let done = DispatchSemaphore(value: 0)
  Thread {
    outcome.result = Result {
      // The call itself, not libc's: that one changes all threads.
      typealias Call = @convention(c) (Int, UInt, UInt, UInt) -> Int
      guard let symbol = dlsym(nil, "syscall") else { throw POSIXError(.ENOSYS) }
      guard unsafeBitCast(symbol, to: Call.self)(setresuidNumber, 65534, 65534, 65534) == 0 else {
        throw POSIXError(.EPERM)
      }
      return try body()
    }
    done.signal()
  }.start()
  done.wait()
  guard let result = outcome.result else { throw CocoaError(.featureUnsupported) }
  return try result.get()
}

/// `SYS_setresuid`.
#if arch(x86_64)
  private let setresuidNumber = 117
#else
  private let setresuidNumber = 147
#endif

/// Written by the thread before the semaphore, read after it.
private final class NobodysOutcome<Value: Sendable>: @unchecked Sendable {
  var result: Result<Value, any Error>?
}
