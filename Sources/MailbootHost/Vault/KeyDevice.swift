import CLinux
import Glibc
import Linux
import MailbootCore
import Systemd

/// A removable device with the key file: mounted read-only by systemd for as long as the file is read.
public struct KeyDevice {
  private let device: String
  private let file: String
  private let mountPoint: String

  /// - Parameters:
  ///   - device: a path, `UUID=`, `LABEL=` or `PARTUUID=`.
  ///   - file: relative to the root of its file system.
  public init(device: String, file: String, directory: RuntimeDirectory = RuntimeDirectory()) {
    self.device = DeviceResolver.path(for: device)
    self.file = file
    mountPoint = directory.path + "/key"
  }

  /// Opens the file; the device is not mounted any more when this returns, so that it can be pulled out.
  /// - Parameter read: reads the descriptor to its end.
  public func withFile<Result: ~Copyable>(
    _ reactor: Reactor, _ read: (Int32) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    guard let resolved = resolvedPath(device) else { throw .deviceNotFound(wanted: device, waited: 0) }
    let mounts = Mounts(units: try UnitControl(reactor: reactor), timeout: 60)
    if mkdir(mountPoint, 0o700) != 0 && errno != EEXIST { throw .system("\(mountPoint): \(errnoText())") }
    defer { rmdir(mountPoint) }
    try mounts.start(
      path: mountPoint, what: resolved, type: "auto", options: ["ro", "nosuid", "nodev", "noexec"], fsck: false)
    let result: Result
    do throws(Failure) {
      result = try open(read)
    } catch {
      do { try mounts.stop(path: mountPoint) } catch let second {
        throw .rollback(of: error, trouble: [second.summary])
      }
      throw error
    }
    try mounts.stop(path: mountPoint)
    return result
  }

  private func open<Result: ~Copyable>(_ read: (Int32) throws(Failure) -> Result) throws(Failure) -> Result {
    // Whoever made the file system may have put a link in place of the file, or a FIFO.
    let descriptor = mb_open("\(mountPoint)/\(file)", O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY, 0)
    guard descriptor >= 0 else {
      throw .usage("the key file \(file) on \(device) cannot be read: \(errnoText())", hint: nil)
    }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, mb_s_isreg(status.st_mode) != 0 else {
      throw .usage("the key file \(file) on \(device) is not a regular file", hint: nil)
    }
    return try read(descriptor)
  }
}
