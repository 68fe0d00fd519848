import JSON

/// What is on a block device, as lsblk(8) and wipefs(8) say it: what would be lost, and why it cannot be had.
public struct DeviceContents: Equatable, Sendable {
  /// Bytes.
  public var size: UInt64
  public var isReadOnly: Bool
  /// What is on it, a line each.
  public var contents: [String]
  /// Why it must not be touched, whoever insists: it is in use, or a part of something larger.
  public var uses: [Use]

  public enum Use: Equatable, Sendable {
    case mounted(String, on: String)
    case swap(String)
    /// A RAID array, a volume group or a mapping lies on it: its name and kind.
    case below(String, kind: String)
    /// It is a member of a RAID array or volume group that is not running now.
    case member(String, of: String)
  }

  /// - Parameters:
  ///   - listing: of `lsblk --json --bytes --output PATH,TYPE,SIZE,RO,FSTYPE,LABEL,PTTYPE,MOUNTPOINTS DEVICE`.
  ///   - signatures: of `wipefs --no-act --json DEVICE`, which reads the device itself; empty when it says nothing.
  /// - Returns: nil when they are not what these programs write.
  public init?(listing: JSONText, signatures: JSONText?) {
    guard let devices = listing["blockdevices"]?.items, let device = devices.first,
      let size = device["size"]?.number
    else { return nil }
    self.size = UInt64(max(0, size.rounded()))
    isReadOnly = device["ro"]?.flag ?? false
    contents = []
    uses = []
    look(at: device, isItself: true)
    // What udev has not seen yet.
    for signature in signatures?["signatures"]?.items ?? [] {
      guard let type = signature["type"]?.text else { continue }
      if !contents.contains(where: { $0.contains(type) }), !["gpt", "dos", "PMBR"].contains(type) {
        let label = signature["label"]?.text.map { " \"\($0)\"" } ?? ""
        contents.append("\(device["path"]?.text ?? ""): \(type)\(label)")
        addMembership(type, device["path"]?.text ?? "")
      }
    }
  }

  private mutating func look(at device: JSONText, isItself: Bool) {
    let path = device["path"]?.text ?? "?"
    let kind = device["type"]?.text ?? ""
    let filesystem = device["fstype"]?.text
    if !isItself && !["part", "disk", "loop"].contains(kind) {
      uses.append(.below(path, kind: kind))
      return
    }
    for mount in device["mountpoints"]?.items?.compactMap(\.text) ?? [] {
      uses.append(mount == "[SWAP]" ? .swap(path) : .mounted(path, on: mount))
    }
    if let filesystem {
      let label = device["label"]?.text.map { " \"\($0)\"" } ?? ""
      contents.append("\(path): \(filesystem)\(label)")
      addMembership(filesystem, path)
    } else if let table = device["pttype"]?.text, device["children"]?.items?.isEmpty ?? true, isItself, kind != "part" {
      contents.append("\(path): an empty partition table (\(table))")
    } else if !isItself {
      contents.append("\(path): a partition that nothing is known of")
    }
    for child in device["children"]?.items ?? [] { look(at: child, isItself: false) }
  }

  private mutating func addMembership(_ filesystem: String, _ path: String) {
    let known = [
      "LVM1_member": "a volume group", "LVM2_member": "a volume group", "zfs_member": "a ZFS pool",
      "mpath_member": "a multipath device", "bcache": "a cache", "drbd": "a replicated device",
      "ceph_bluestore": "a Ceph cluster", "stratis": "a Stratis pool",
    ][filesystem]
    let isOther = filesystem.hasSuffix("_member")
    let group = known ?? (filesystem.hasSuffix("_raid_member") ? "a RAID array" : isOther ? "something larger" : nil)
    guard let group, !uses.contains(where: { if case .below = $0 { true } else { false } }) else { return }
    uses.append(.member(path, of: group))
  }
}
