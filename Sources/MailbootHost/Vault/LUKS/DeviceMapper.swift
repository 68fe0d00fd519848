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

  /// Whether udev has looked at the mapping and knows nothing that is on it, as when its superblocks are destroyed.
  ///
  /// Systemd never takes such a device for ready (`99-systemd.rules`): a mount unit would wait 90 s for it in vain.
  static func isUnrecognized(_ mapping: MappingStatus, database: String = "/run/udev/data") -> Bool {
    guard let lines = readSmallText("\(database)/b\(mapping.device)")?.split(separator: "\n") else { return false }
    return lines.contains("E:SYSTEMD_READY=0") && !lines.contains { $0.hasPrefix("E:ID_FS_TYPE=") }
  }

  /// Whether sysfs is there at all: without it "no mapping" would be a guess.
  static func isVisible(sysfs: String = "/sys") -> Bool { fileStatus(sysfs + "/class/block") != nil }
}
