import CLinux
import Glibc
import Linux

/// A device-mapper device that exists now, as sysfs shows it.
public struct DeviceMapping: Equatable, Sendable {
  /// The name below `/dev/mapper`.
  public var name: String
  /// What device-mapper calls UUID: for LUKS `CRYPT-LUKS2-`, the header's UUID without dashes, `-` and the name.
  public var uuid: String
  /// The kernel's name, such as `dm-0`.
  var node: String
  /// `/sys/class/block`, or a stand-in for it.
  var sysfs: String

  /// All mappings; none when the kernel has no device-mapper.
  static func all(sysfs: String = "/sys/class/block") -> [DeviceMapping] {
    (listDirectory(sysfs) ?? []).filter { $0.hasPrefix("dm-") }.compactMap { node in
      guard let name = readAttribute("\(sysfs)/\(node)/dm/name") else { return nil }  // removed meanwhile
      return DeviceMapping(name: name, uuid: readAttribute("\(sysfs)/\(node)/dm/uuid") ?? "", node: node, sysfs: sysfs)
    }
  }

  static func named(_ name: String, sysfs: String = "/sys/class/block") -> DeviceMapping? {
    all(sysfs: sysfs).first { $0.name == name }
  }

  /// The encrypted mappings that lie on a device or file, by name. Of a file nobody else keeps count: each gets a loop device of its own.
  static func opened(on path: String, sysfs: String = "/sys/class/block") -> [String] {
    all(sysfs: sysfs).filter { $0.isEncrypted && $0.lies(on: path) }.map(\.name)
  }

  /// Whether the mapping was made by libcryptsetup.
  public var isEncrypted: Bool { uuid.hasPrefix("CRYPT-") }

  /// Whether it is the LUKS volume with this header UUID (lower case, with dashes).
  func isVolume(version: Int, uuid headerUUID: String) -> Bool {
    uuid.hasPrefix("CRYPT-LUKS\(version)-\(headerUUID.filter { $0 != "-" })-")
  }

  /// Whether `path`, a block device or a regular file behind a loop device, is what the mapping lies on.
  ///
  /// Not only the next lower device counts: LUKS2 with integrity has a mapping of its own in between.
  func lies(on path: String) -> Bool {
    var wanted = stat()
    guard stat(path, &wanted) == 0 else { return false }
    return lowerDevices().contains { lower in
      if mb_s_isblk(wanted.st_mode) != 0 {
        return readAttribute("\(sysfs)/\(lower)/dev")
          == "\(mb_major(wanted.st_rdev)):\(mb_minor(wanted.st_rdev))"
      }
      return isBacked(lower, by: wanted)
    }
  }

  /// Whether a loop device has this file.
  private func isBacked(_ lower: String, by wanted: stat) -> Bool {
    guard let backing = readAttribute("\(sysfs)/\(lower)/loop/backing_file") else { return false }
    var found = stat()
    return stat(backing, &found) == 0 && found.st_dev == wanted.st_dev && found.st_ino == wanted.st_ino
  }

  /// What the library takes for the device of an open mapping: of a file the loop device that the mapping has; else the path itself.
  ///
  /// Given the file it finds the open mapping to have other parameters (libcryptsetup 2.6.1 and 2.7.5, resize).
  public static func node(of path: String, below mapping: String?, sysfs: String = "/sys/class/block") -> String {
    var wanted = stat()
    guard stat(path, &wanted) == 0, mb_s_isreg(wanted.st_mode) != 0,
      let mapping = mapping.flatMap({ named($0, sysfs: sysfs) })
    else { return path }
    return mapping.lowerDevices().first { mapping.isBacked($0, by: wanted) }.map { "/dev/" + $0 } ?? path
  }

  /// What the mapping directly lies on, for messages: device nodes, or the file behind a loop device.
  var backing: String {
    let names = (listDirectory("\(sysfs)/\(node)/slaves") ?? []).map { lower in
      readAttribute("\(sysfs)/\(lower)/loop/backing_file") ?? "/dev/\(lower)"
    }
    return names.isEmpty ? "no device" : names.joined(separator: ", ")
  }

  /// Its size in sectors of 512 bytes.
  var sectors: UInt64? { readAttribute("\(sysfs)/\(node)/size").flatMap { UInt64($0) } }

  /// The kernel's names of the devices that lie on the mapping.
  var holders: [String] { listDirectory("\(sysfs)/\(node)/holders") ?? [] }

  /// The kernel's names of all devices below, nearest first.
  private func lowerDevices() -> [String] {
    var found: [String] = []
    var level = [node]
    // Nobody stacks deeper; the bound keeps a strange sysfs from holding us up.
    for _ in 0..<8 where !level.isEmpty {
      level = level.flatMap { listDirectory("\(sysfs)/\($0)/slaves") ?? [] }
      found += level
    }
    return found
  }
}
