import CLinux
import Glibc
import Linux
import MailbootCore

/// Device-mapper as anybody may see it: through sysfs, because nobody but root may open `/dev/mapper/control`.
enum DeviceMapper {
  /// The active mapping of that name; nil when there is none.
  static func mapping(named name: String, sysfs: String = "/sys") -> MappingStatus? {
    let block = sysfs + "/class/block"
    for device in listDirectory(block) ?? [] where device.hasPrefix("dm-") {
      let path = "\(block)/\(device)"
      guard readAttribute(path + "/dm/name") == name else { continue }
      let slaves = listDirectory(path + "/slaves") ?? []
      let below = slaves.map { slave in
        // The file behind a loop device is what the administrator knows.
        readAttribute("\(block)/\(slave)/loop/backing_file") ?? "/dev/\(slave)"
      }
      return MappingStatus(
        device: readAttribute(path + "/dev") ?? "", dmUUID: readAttribute(path + "/dm/uuid") ?? "", backing: below,
        // A disk that goes away leaves no entry, or one that leads nowhere; the mapping stays as long as it is mounted.
        hasItsDisk: !slaves.isEmpty && slaves.allSatisfy { fileStatus("\(block)/\($0)") != nil })
    }
    return nil
  }

  /// What the mapping lies on at last, with no mapping in between: as `MappingStatus.backing`. Nil: there is no such mapping.
  static func bottom(of name: String, sysfs: String = "/sys") -> [String]? {
    let block = sysfs + "/class/block"
    let named = (listDirectory(block) ?? []).first { readAttribute("\(block)/\($0)/dm/name") == name }
    guard var level = named.map({ [$0] }) else { return nil }
    // Nobody stacks deeper.
    for _ in 0..<8 where level.contains(where: { $0.hasPrefix("dm-") }) {
      level = level.flatMap { $0.hasPrefix("dm-") ? listDirectory("\(block)/\($0)/slaves") ?? [] : [$0] }
    }
    return level.map { readAttribute("\(block)/\($0)/loop/backing_file") ?? "/dev/\($0)" }
  }

  /// Whether the block device of that number is the mapping, or lies on it: LVM may be in between.
  static func device(_ number: String, liesOn mapping: MappingStatus, sysfs: String = "/sys") -> Bool {
    let block = sysfs + "/class/block"
    var level = (listDirectory(block) ?? []).filter { readAttribute("\(block)/\($0)/dev") == number }
    // Nobody stacks deeper; the bound keeps a strange sysfs from holding us up.
    for _ in 0..<8 where !level.isEmpty {
      if level.contains(where: { readAttribute("\(block)/\($0)/dev") == mapping.device }) { return true }
      level = level.flatMap { listDirectory("\(block)/\($0)/slaves") ?? [] }
    }
    return number == mapping.device
  }

  /// LVM's groups that have volumes on the mapping, by what device-mapper calls the volumes: `GROUP-VOLUME`, with each `-` of a name
  /// doubled.
  static func volumeGroups(on mapping: MappingStatus, sysfs: String = "/sys") -> [String] {
    let block = sysfs + "/class/block"
    var groups: Set<String> = []
    for name in listDirectory(block) ?? []
    where name.hasPrefix("dm-") && readAttribute("\(block)/\(name)/dev") == mapping.device {
      for holder in listDirectory("\(block)/\(name)/holders") ?? []
      where readAttribute("\(block)/\(holder)/dm/uuid")?.hasPrefix("LVM-") ?? false {
        if let group = readAttribute("\(block)/\(holder)/dm/name").flatMap(volumeGroup) { groups.insert(group) }
      }
    }
    return groups.sorted()
  }

  /// Up to the first single dash.
  private static func volumeGroup(ofVolume name: String) -> String? {
    var group = ""
    var rest = name[...]
    while let dash = rest.firstIndex(of: "-") {
      group += rest[..<dash]
      rest = rest[rest.index(after: dash)...]
      guard rest.first == "-" else { return group }
      group += "-"
      rest = rest.dropFirst()
    }
    return nil
  }

  /// Whether udev has looked at the mapping and knows nothing that is on it, as when its superblocks are destroyed.
  ///
  /// Systemd never takes such a device for ready (`99-systemd.rules`): a mount unit would wait 90 s for it in vain.
  static func isUnrecognized(_ mapping: MappingStatus, database: String = "/run/udev/data") -> Bool {
    guard let lines = readSmallText("\(database)/b\(mapping.device)")?.split(separator: "\n") else { return false }
    return lines.contains("E:SYSTEMD_READY=0") && !lines.contains { $0.hasPrefix("E:ID_FS_TYPE=") }
  }

  /// What udev has seen on the mapping: a file system's type, or `LVM2_member`; nil when it has seen nothing.
  static func content(of mapping: MappingStatus, database: String = "/run/udev/data") -> String? {
    let lines = readSmallText("\(database)/b\(mapping.device)")?.split(separator: "\n") ?? []
    return lines.first { $0.hasPrefix("E:ID_FS_TYPE=") }.map { String($0.dropFirst("E:ID_FS_TYPE=".count)) }
  }

  /// Whether sysfs is there at all: without it "no mapping" would be a guess.
  static func isVisible(sysfs: String = "/sys") -> Bool { fileStatus(sysfs + "/class/block") != nil }
}
