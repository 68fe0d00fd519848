import Foundation
import Synchronization

/// A disposable mail host under qemu, with a kernel of its own and a vault in LUKS on a second disk.
///
/// The memory of a fresh machine was saved when it was built. Its clock is set to this host's right after the start, so
/// the guest sees one jump; a ``restore(_:)`` is the same.
public final class Machine: Guest {
  public let release: Release
  /// The first serial line: a login prompt.
  public let ttyS0 = SerialConsole(name: "ttyS0")
  /// The second serial line: root's shell, already logged in.
  public let ttyS1 = SerialConsole(name: "ttyS1")

  /// A directory of this machine alone, gone with it.
  let directory: String
  let images: MachineImages.Locked
  let drives: Mutex<[Hardware.Drive]>
  let power = Mutex<PoweredMachine?>(nil)
  /// Where the state of its TPM is; nil: it has none.
  let tpm = Mutex<String?>(nil)
  private let slot: Mutex<FileLock?>
  private let directoryLock: FileLock

  /// How a fresh machine begins.
  public enum Beginning: Sendable {
    /// Booted already, in about a second.
    case booted
    /// Switched on and waited for, as after a power cut: half a minute when emulated.
    case coldBoot
    /// Switched off, for tests that watch it boot: see ``powerOn()``.
    case off
  }

  /// Makes a fresh machine. Builds what is missing of its stages, and waits while too many machines run on this host.
  /// - Parameters:
  ///   - package: what is installed in it, and has made it the mail host that it is.
  /// - Throws: ``MachineError``.
  public static func fresh(
    _ release: Release, with package: Package, _ beginning: Beginning = .booted
  ) async throws -> Machine {
    try await offload {
      let cache = try MachineCache()
      let images = try MachineImages(release, in: cache).locked(with: package)
      let slot = try Slots.machines.take(in: cache)
      let machine = try Machine(release, images, slot, in: cache)
      switch beginning {
      case .booted: try machine.start(.memory(images.memory))
      case .coldBoot: try machine.start(.cold)
      case .off: break
      }
      return machine
    }
  }

  /// Makes a fresh machine with the package found by ``Package/find()``.
  public static func fresh(_ release: Release, _ beginning: Beginning = .booted) async throws -> Machine {
    try await fresh(release, with: Package.find(), beginning)
  }

  private init(_ release: Release, _ images: MachineImages.Locked, _ slot: FileLock, in cache: MachineCache) throws {
    let machines = cache.root + "/machines"
    try Self.sweep(machines)
    directory = machines + "/" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    directoryLock = try FileLock.waiting(directory + "/in-use", .exclusive)
    var drives: [Hardware.Drive] = []
    for disk in MachineImages.disks {
      let drive = Hardware.Drive(path: "\(directory)/\(disk).qcow2", serial: disk)
      try Self.makeOverlay(drive.path, on: "\(images.locked.directory)/\(disk).qcow2", format: "qcow2")
      drives.append(drive)
    }
    self.drives = Mutex(drives)
    self.release = release
    self.images = images
    self.slot = Mutex(slot)
  }

  deinit {
    close()
  }

  /// Switches the machine off at once and removes its disks. Harmless when it is closed already.
  public func close() {
    power.withLock { power in
      // Gone or not, nothing more can be done about it here; its disks are removed under it.
      try? power?.kill()
      power = nil
    }
    try? FileManager.default.removeItem(atPath: directory)
    slot.withLock { $0 = nil }
  }

  /// Removes what machines left behind whose process was killed.
  private static func sweep(_ machines: String) throws {
    for name in try FileManager.default.contentsOfDirectory(atPath: machines) {
      let directory = machines + "/" + name
      // A directory without its lock file is just being made, or being removed.
      guard FileManager.default.fileExists(atPath: directory + "/in-use") else { continue }
      guard let lock = try? FileLock.ifFree(directory + "/in-use", .exclusive) else { continue }
      try? FileManager.default.removeItem(atPath: directory)
      withExtendedLifetime(lock) {}
    }
  }

  static func makeOverlay(_ path: String, on base: String, format: String) throws {
    try HostCommand.run(["qemu-img", "create", "-q", "-f", "qcow2", "-b", base, "-F", format, path])
  }

  /// Whether the machine is switched on.
  public var isOn: Bool { power.withLock { $0 != nil && $0?.process.status == nil } }

  /// The power under which the machine runs now.
  func powered() throws -> PoweredMachine {
    guard let power = power.withLock({ $0 }) else { throw MachineError(.gone, "the machine is off") }
    return power
  }

  /// Adds the console's last lines to what went wrong.
  func telling<Result>(_ work: () throws -> Result) throws -> Result {
    do {
      return try work()
    } catch var error as MachineError {
      error.consoleTail = error.consoleTail ?? ttyS0.tail()
      throw error
    }
  }
}
