import Foundation
import Synchronization

/// A disposable mail host in a container of `systemd-nspawn`, with a systemd of its own on this kernel, at the speed of this host,
/// and a gocryptfs vault in `/vault_crypt`. It has no device-mapper, and its page cache outlives a kill.
public final class NativeHost: Guest {
  public let release: Release
  public let ttyS0: SerialConsole
  public let ttyS1: SerialConsole

  let directory: String
  private let layers: [Stage]
  private let power: Power
  private let slot: Mutex<FileLock?>
  private let directoryLock: FileLock

  /// What the consoles share with the host.
  private final class Power: Sendable {
    let running = Mutex<RunningHost?>(nil)

    func host() throws -> RunningHost {
      guard let running = running.withLock({ $0 }) else { throw MachineError(.gone, "the host is off") }
      return running
    }

    /// A line at whose other end a command runs, with the path of the program `terminal` as `$1`.
    func line(_ command: String) throws -> Descriptor {
      let (ours, theirs) = try Descriptor.socketPair()
      let copies = try (1...2).map { _ in try theirs.copy() }
      _ = try host().server.start("set -- /usr/local/lib/mailboot-machine/terminal; \(command)", [theirs] + copies)
      return ours
    }
  }

  /// Makes a fresh host. Builds what is missing of its stages, and waits while too many of them run here.
  /// - Parameters:
  ///   - package: what is installed in it; `nil` for a host without our package.
  ///   - booted: false: switched off, see ``bootAgain()``.
  ///   - isSecond: a scene that has one already does not wait for another: while it does, nobody has the first one's place either.
  /// - Throws: ``MachineError``.
  public static func fresh(
    _ release: Release, with package: Package?, booted: Bool = true, isSecond: Bool = false
  ) async throws -> NativeHost {
    try await offload {
      let cache = try MachineCache()
      let layers = try HostTrees(release, in: cache).layers(with: package)
      let host = try NativeHost(release, layers, isSecond ? nil : Slots.hosts.take(in: cache), in: cache)
      if booted { try host.boot() }
      return host
    }
  }

  /// Makes a Debian on which nobody has done anything yet, with our package beside it as `/root/mailboot.deb`.
  /// - Parameters:
  ///   - next: a later release to be upgraded to, see ``HostTrees``.
  ///   - isSecond: as in ``fresh(_:with:booted:isSecond:)``.
  public static func bare(_ release: Release, next: Release? = nil, isSecond: Bool = false) async throws -> NativeHost {
    let package = try Package.find()
    let host = try await offload {
      let cache = try MachineCache()
      let layers = try HostTrees(release, in: cache).bareLayers(next: next)
      let host = try NativeHost(release, layers, isSecond ? nil : Slots.hosts.take(in: cache), in: cache)
      try host.boot()
      return host
    }
    try await host.put("/root/mailboot.deb", Data(contentsOf: URL(fileURLWithPath: package.path)), mode: 0o644)
    return host
  }

  /// Makes a host beside a mail host, with name servers, a resolver, and programs that look at mail. Of one release, whatever that host's is.
  /// It waits for no slot: a scene that has a mail host has one.
  public static func neighbour() async throws -> NativeHost {
    try await offload {
      let cache = try MachineCache()
      let host = try NativeHost(.debian13, HostTrees(.debian13, in: cache).neighbourLayers(), nil, in: cache)
      try host.boot()
      return host
    }
  }

  /// Makes a fresh mail host that also has the repository of a bare one.
  public static func withRepository(_ release: Release) async throws -> NativeHost {
    let package = try Package.find()
    return try await offload {
      let cache = try MachineCache()
      let trees = HostTrees(release, in: cache)
      let layers = try trees.layers(with: package) + [trees.repository()]
      let host = try NativeHost(release, layers, Slots.hosts.take(in: cache), in: cache)
      try host.boot()
      return host
    }
  }

  /// Makes a fresh host with the package found by ``Package/find()``.
  public static func fresh(_ release: Release) async throws -> NativeHost {
    try await fresh(release, with: Package.find())
  }

  private init(_ release: Release, _ layers: [Stage], _ slot: FileLock?, in cache: MachineCache) throws {
    let hosts = cache.root + "/hosts"
    try FileManager.default.createDirectory(atPath: hosts, withIntermediateDirectories: true)
    try Self.sweep(hosts)
    directory = "\(hosts)/\(String(UUID().uuidString.prefix(13)))"
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    directoryLock = try FileLock.waiting(directory + "/in-use", .exclusive)
    self.release = release
    self.layers = layers
    self.slot = Mutex(slot)
    let power = Power()
    self.power = power
    // Whoever logs out is asked for a name again, at a new terminal: login hangs up the one it gets, and who leads the session there.
    ttyS0 = SerialConsole(name: "the login line") { try power.line("while sleep 0.1; do \"$1\" login; done") }
    ttyS1 = SerialConsole(name: "root's line") { try power.line("exec \"$1\" login -f root") }
  }

  deinit {
    close()
  }

  public func close() {
    power.running.withLock { running in
      // Gone or not, nothing more can be done about it here.
      try? running?.kill(removing: true)
      running = nil
    }
    // Normally its keeper has removed it.
    if FileManager.default.fileExists(atPath: directory) { try? Self.remove(directory) }
    slot.withLock { $0 = nil }
  }

  /// Removes what hosts left behind whose keeper was killed together with this process.
  private static func sweep(_ hosts: String) throws {
    for name in try FileManager.default.contentsOfDirectory(atPath: hosts) {
      let directory = hosts + "/" + name
      // A directory without its lock file is just being made, or being removed.
      guard FileManager.default.fileExists(atPath: directory + "/in-use") else { continue }
      guard let lock = try? FileLock.ifFree(directory + "/in-use", .exclusive) else { continue }
      try remove(directory)
      withExtendedLifetime(lock) {}
    }
  }

  /// Removes what is left of a host whose keeper is gone.
  static func remove(_ directory: String) throws {
    try HostCommand.run([Repository.machineDirectory() + "/native-host", "--sweep", directory])
  }

  /// The `native-host` that it runs in.
  func keeper() throws -> ChildProcess { try power.host().process }

  /// A process in it, as this host counts them.
  func serverProcess() throws -> pid_t { try power.host().server.process() }

  public var isOn: Bool { power.running.withLock { $0 != nil && $0?.process.status == nil } }

  private func boot() throws {
    let running = try power.running.withLock { running in
      guard running == nil else { throw MachineError(.host, "the host is already on") }
      let started = try RunningHost(directory, on: layers.map { $0.directory + "/layer" })
      running = started
      return started
    }
    try running.awaitBoot(.seconds(60))
  }

  public func start(_ command: String, stdin: Data?) async throws -> GuestCommand {
    try await offload { [self] in
      let server = try power.host().server
      let served = try ServedCommand(command, input: stdin, on: server)
      return GuestCommand(
        command, in: self, pid: served.pid, result: { try served.result() },
        kill: { _ = try ServedCommand("kill -KILL -- -\(served.pid)", input: nil, on: server) })
    }
  }

  public func powerCut() async throws {
    try await offload { [self] in
      try power.running.withLock { running in
        try running?.kill(removing: false)
        running = nil
      }
    }
  }

  /// Switches it on and waits until it has booted, which takes about a second.
  public func powerOn() async throws { try await bootAgain() }

  public func bootAgain() async throws {
    try await offload { [self] in try boot() }
  }

  public func shutDown(timeout: Duration) async throws {
    try await offload { [self] in
      try power.host().switchOff(timeout: timeout)
      power.running.withLock { $0 = nil }
    }
  }

  /// Joins two running hosts by a cable that ends in a network device `lan0` on either side, until one of them is off.
  /// - Parameters:
  ///   - address: of this host there, with the length of its network: `192.0.2.1/24`.
  public func connect(_ address: String, to other: NativeHost, _ otherAddress: String) async throws {
    try await offload { [self] in
      let here = try serverProcess()
      let there = try other.serverProcess()
      try HostCommand.run([
        "nsenter", "--target", "\(here)", "--net", "--", "ip", "link", "add", "lan0", "type", "veth", "peer", "name",
        "lan0",
        "netns", "\(there)",
      ])
    }
    for (host, address) in [(self, address), (other, otherAddress)] {
      try await host.succeed("ip address add \(shellQuoted(address)) dev lan0 && ip link set lan0 up")
    }
  }
}
