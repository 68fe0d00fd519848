import Foundation
import Synchronization

extension Machine {
  /// Plugs in one more disk. The guest's writes go to an overlay: the image itself stays as it is.
  ///
  /// - Parameters:
  ///   - image: an image file on this host.
  ///   - serial: letters, digits and `-`, at most 20; the guest gets `/dev/disk/by-id/virtio-SERIAL`.
  public func addDrive(_ image: String, format: String = "raw", serial: String) async throws {
    guard serial.wholeMatch(of: /[A-Za-z][A-Za-z0-9\-]{0,19}/) != nil else {
      throw MachineError(.host, "'\(serial)' does not do as a drive's serial number")
    }
    try await offload { [self] in
      let drive = Hardware.Drive(path: "\(directory)/\(serial).qcow2", serial: serial)
      try Self.makeOverlay(drive.path, on: URL(fileURLWithPath: image).path, format: format)
      if let power = power.withLock({ $0 }) {
        try telling { try plug(drive, into: power.monitor) }
      }
      drives.withLock { $0.append(drive) }
    }
    guard power.withLock({ $0 }) != nil else { return }
    try await succeed(
      "for try in {1..100}; do test -b /dev/disk/by-id/virtio-\(serial) && exit; sleep 0.1; done; exit 1"
    )
  }

  /// Plugs in a raw image file itself, with a file beside it in which each write of the guest is logged.
  public func addLoggedDrive(_ image: String, log: String, serial: String) async throws {
    try await offload { [self] in
      try Data().write(to: URL(fileURLWithPath: log))
      let drive = Hardware.Drive(
        path: URL(fileURLWithPath: image).path, format: "raw", serial: serial, writeLog: log)
      try telling { try plug(drive, into: try powered().monitor) }
      drives.withLock { $0.append(drive) }
    }
    try await succeed(
      "for try in {1..100}; do test -b /dev/disk/by-id/virtio-\(serial) && exit; sleep 0.1; done; exit 1"
    )
  }

  /// Takes a plugged drive out, which nothing in the guest uses.
  public func removeDrive(_ serial: String) async throws {
    struct Device: Encodable {
      let id: String
    }
    try await offload { [self] in
      try telling { let _: Nothing = try powered().monitor.execute("device_del", Device(id: "disk-\(serial)")) }
    }
    try await succeed(
      "for try in {1..100}; do test -b /dev/disk/by-id/virtio-\(serial) || exit 0; sleep 0.1; done; exit 1")
    // The guest is through with it; qemu a moment later.
    try await offload { [self] in
      let deadline = Deadline(after: .seconds(20))
      while try powered().monitor.executeForPeople("info block").contains(serial + " ") {
        guard !deadline.hasPassed else { throw MachineError(.timedOut, "qemu keeps the drive \(serial)") }
        deadline.pause(.milliseconds(50))
      }
    }
    drives.withLock { $0.removeAll { $0.serial == serial } }
    try? FileManager.default.removeItem(atPath: "\(directory)/\(serial).qcow2")
  }

  private func plug(_ drive: Hardware.Drive, into monitor: Monitor) throws {
    struct Device: Encodable {
      let driver = "virtio-blk-pci"
      let drive: String
      let id: String
      let serial: String
    }
    let options = images.hardware([]).options(of: drive)
    let answer = try monitor.executeForPeople("drive_add 0 if=none,id=\(drive.serial),\(options)")
    guard answer.trimmingCharacters(in: .whitespacesAndNewlines) == "OK" else {
      throw MachineError(.refused, "qemu: add a drive: \(answer)")
    }
    let _: Nothing = try monitor.execute(
      "device_add", Device(drive: drive.serial, id: "disk-\(drive.serial)", serial: drive.serial))
  }
}
