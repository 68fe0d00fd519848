import CLinux
import Glibc
import Linux
import MailbootCore

/// Who keeps a file system in use: by the device's number, so through bind mounts, other mount namespaces and after a lazy unmount too.
struct MountHolders {
  let device: DeviceNumber
  /// Directories that the file system is shown at, for sockets, which have only their path.
  let mountPoints: [String]
  /// The process that asked for this; it and those it was started from are the caller's own.
  var caller = getppid()
  var proc = "/proc"

  /// Btrfs numbers each subvolume anew: files there have another number than the mount.
  private var devices: [DeviceNumber] {
    guard device.major == 0 else { return [device] }
    let table = MountTable.current()
    let shown = mountPoints.filter { table?.mount(on: $0)?.device == device.text }
    return [device] + shown.compactMap { DeviceNumber(ofFile: $0) }.filter { $0 != device }
  }

  /// Every process but this one, by number.
  func processes() -> [Holder] {
    let sockets = boundSockets()
    let ancestors = ancestors()
    let devices = devices
    let namespaces = Namespaces(device: device, proc: proc)
    return ProcessEntry.all(proc: proc).compactMap { entry in
      guard entry.pid != getpid() else { return nil }
      let found = devices.lazy.compactMap { entry.use(of: $0, sockets: sockets) }.first ?? namespaces.use(by: entry)
      guard let (use, place) = found else { return nil }
      return holder(entry, use, place, isAncestor: ancestors.contains(entry.pid))
    }
  }

  /// Whether that process still uses it.
  func isHolding(_ pid: Int32) -> Bool {
    let entry = ProcessEntry(pid: pid, proc: proc)
    return entry.use(of: device, sockets: boundSockets()) != nil
      || Namespaces(device: device, proc: proc).use(by: entry) != nil
  }

  private func holder(_ entry: ProcessEntry, _ use: Holder.Use, _ place: String, isAncestor: Bool) -> Holder {
    Holder(
      pid: entry.pid, command: entry.command, user: entry.user, unit: entry.unit, use: use, place: place,
      isAncestor: isAncestor)
  }

  /// The caller and the processes it was started from.
  private func ancestors() -> Set<Int32> {
    var found: Set<Int32> = []
    var pid = caller
    while pid > 1, found.insert(pid).inserted {
      guard let parent = ProcessEntry(pid: pid, proc: proc).parent else { break }
      pid = parent
    }
    return found
  }

  /// A socket bound to a path keeps that file system in use, and nothing but its path says so.
  private func boundSockets() -> [String: String] {
    guard let text = readSmallFile("\(proc)/net/unix", limit: 16 << 20) else { return [:] }
    var sockets: [String: String] = [:]
    for line in text.split(separator: UInt8(ascii: "\n")).dropFirst() {
      // Num RefCount Protocol Flags Type St Inode Path
      let fields = line.split(separator: UInt8(ascii: " "), maxSplits: 7)
      guard fields.count == 8 else { continue }
      let path = String(decoding: fields[7], as: UTF8.self)
      guard mountPoints.contains(where: { path.hasPrefix($0 + "/") }) else { continue }
      sockets["socket:[\(String(decoding: fields[6], as: UTF8.self))]"] = path
    }
    return sockets
  }

  /// Uses that no process stands for.
  /// - Parameter ours: the mount points that a lock unmounts itself.
  static func obstacles(
    device: DeviceNumber, ours: [String], table: MountTable, sysfs: String = "/sys", proc: String = "/proc"
  ) -> [Obstacle] {
    let mounts = table.entries.filter { $0.device == device.text }
    var found: [Obstacle] = mounts.filter { !ours.contains($0.mountPoint) }.map { .mount($0.mountPoint) }
    for path in ours where mounts.contains(where: { $0.mountPoint == path }) {
      guard let upper = table.mount(on: path), upper.device != device.text else { continue }
      found.append(.covered(path, by: upper.source))
    }
    let block = sysfs + "/class/block"
    for name in listDirectory(block) ?? [] {
      if name.hasPrefix("loop"), let file = readAttribute("\(block)/\(name)/loop/backing_file"),
        DeviceNumber(ofFile: file) == device
      {
        found.append(.loop(device: "/dev/\(name)", file: file))
      }
      if name.hasPrefix("dm-"), readAttribute("\(block)/\(name)/dev") == device.text {
        found += (listDirectory("\(block)/\(name)/holders") ?? []).map { .device($0) }
      }
    }
    for line in (readSmallText("\(proc)/swaps") ?? "").split(separator: "\n").dropFirst() {
      guard let file = line.split(separator: " ").first.map({ unescaped($0) }) else { continue }
      if DeviceNumber(ofFile: file) == device { found.append(.swap(file: file)) }
    }
    return found
  }
}

/// Mounts in the namespaces of other processes that stay when the host unmounts.
private final class Namespaces {
  private let device: DeviceNumber
  private let own: String?
  /// By namespace: the mount point there, if an unmount would not reach it.
  private var known: [String: String?] = [:]

  init(device: DeviceNumber, proc: String) {
    self.device = device
    own = ProcessEntry(pid: getpid(), proc: proc).mountNamespace
  }

  func use(by entry: ProcessEntry) -> (Holder.Use, place: String)? {
    guard let namespace = entry.mountNamespace, namespace != own else { return nil }
    if known[namespace] == nil { known[namespace] = .some(privateMount(entry)) }
    guard let mountPoint = known[namespace] ?? nil else { return nil }
    return (.namespace, mountPoint)
  }

  /// A mount that neither shares with others nor follows them: the host's unmount does not come through (mount_namespaces(7)).
  private func privateMount(_ entry: ProcessEntry) -> String? {
    guard let text = entry.mountInformation else { return nil }
    for line in text.split(separator: "\n") {
      let fields = line.split(separator: " ")
      guard fields.count > 6, fields[2] == device.text, let dash = fields.firstIndex(of: "-"), dash >= 6 else {
        continue
      }
      if !fields[6..<dash].contains(where: { $0.hasPrefix("shared:") || $0.hasPrefix("master:") }) {
        return unescaped(fields[4])
      }
    }
    return nil
  }
}
