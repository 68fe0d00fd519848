import CLinux
import Glibc
import Linux
import MailbootCore

/// One process, as `/proc` shows it now. Its number may be another's a moment later.
struct ProcessEntry {
  let pid: Int32
  private let path: String

  init(pid: Int32, proc: String = "/proc") {
    self.pid = pid
    path = "\(proc)/\(pid)"
  }

  static func all(proc: String = "/proc") -> [ProcessEntry] {
    (listDirectory(proc) ?? []).compactMap { Int32($0) }.sorted().map { ProcessEntry(pid: $0, proc: proc) }
  }

  var command: String { readAttribute(path + "/comm") ?? "?" }

  var user: String {
    fileStatus(path).map { userName($0.st_uid) } ?? "?"
  }

  /// The system's unit it belongs to; nil for a process outside of all, such as the kernel's.
  var unit: String? {
    guard let text = readSmallText(path + "/cgroup") else { return nil }
    return Self.unit(inCgroup: text)
  }

  /// Of the unified hierarchy's line `0::/system.slice/system-postfix.slice/postfix@-.service`: the first that is no slice. What comes
  /// below belongs to that unit (a user's manager, a container).
  static func unit(inCgroup text: String) -> String? {
    guard let line = text.split(separator: "\n").first(where: { $0.hasPrefix("0::") }) else { return nil }
    return line.dropFirst(3).split(separator: "/").first { !$0.hasSuffix(".slice") }.map { name in
      // systemd puts an underscore before names that the kernel could take for its own files.
      String(name.hasPrefix("_") ? name.dropFirst() : name)
    }.flatMap { $0.hasSuffix(".service") || $0.hasSuffix(".scope") ? $0 : nil }
  }

  var parent: Int32? {
    // `812 (name with (brackets)) S 811 …`
    guard let text = readSmallText(path + "/stat"), let end = text.lastIndex(of: ")") else { return nil }
    let fields = text[text.index(after: end)...].split(separator: " ")
    return fields.count > 1 ? Int32(fields[1]) : nil
  }

  /// The inode of its mount namespace.
  var mountNamespace: String? { link("ns/mnt") }

  var mountInformation: String? {
    readSmallFile(path + "/mountinfo", limit: 16 << 20).map { String(decoding: $0, as: UTF8.self) }
  }

  /// The first use found of a file on the device; nil when there is none, or the process is gone.
  /// - Parameter sockets: inodes of the sockets that are bound to a path there.
  func use(of device: DeviceNumber, sockets: [String: String]) -> (Holder.Use, place: String)? {
    for (name, use) in [("cwd", Holder.Use.workingDirectory), ("root", .root), ("exe", .program)]
    where DeviceNumber(ofFile: "\(path)/\(name)") == device {
      return (use, link(name) ?? "?")
    }
    for name in listDirectory(path + "/fd") ?? [] {
      let file = "fd/\(name)"
      if DeviceNumber(ofFile: "\(path)/\(file)") == device { return (.file, link(file) ?? "?") }
      if DeviceNumber(ofBlockDevice: "\(path)/\(file)") == device { return (.device, link(file) ?? "?") }
      if !sockets.isEmpty, let target = link(file), let bound = sockets[target] { return (.socket, bound) }
    }
    return mappedFile(of: device).map { (.mapping, $0) }
  }

  /// Of lines such as `7f3c…-7f3c… r--p 00000000 fe:00 131 /vault/x`: the first file on the device.
  private func mappedFile(of device: DeviceNumber) -> String? {
    guard let bytes = readSmallFile(path + "/maps", limit: 64 << 20) else { return nil }
    for line in bytes.split(separator: UInt8(ascii: "\n")) {
      let fields = line.split(separator: UInt8(ascii: " "), maxSplits: 5)
      guard fields.count == 6, fields[3].elementsEqual(device.hexadecimal.utf8) else { continue }
      return String(decoding: fields[5].drop { $0 == UInt8(ascii: " ") }, as: UTF8.self)
    }
    return nil
  }

  private func link(_ name: String) -> String? {
    var buffer = [CChar](repeating: 0, count: 4096)
    let count = readlink("\(path)/\(name)", &buffer, buffer.count)
    guard count > 0 else { return nil }
    return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}

/// A block device's number.
struct DeviceNumber: Equatable {
  var major: UInt32
  var minor: UInt32

  /// From `254:0`, as sysfs and the mount table have it.
  init?(_ text: String) {
    let parts = text.split(separator: ":").compactMap { UInt32($0) }
    guard parts.count == 2 else { return nil }
    (major, minor) = (parts[0], parts[1])
  }

  /// Of the file system that the file lies on; nil when it cannot be looked at.
  init?(ofFile path: String) {
    var (major, minor): (UInt32, UInt32) = (0, 0)
    guard mb_device_of(path, &major, &minor) == 0 else { return nil }
    (self.major, self.minor) = (major, minor)
  }

  /// Of the block device whose own file this is; nil for any other file.
  init?(ofBlockDevice path: String) {
    var (major, minor): (UInt32, UInt32) = (0, 0)
    guard mb_block_device_of(path, &major, &minor) == 0 else { return nil }
    (self.major, self.minor) = (major, minor)
  }

  /// `fe:00`, as `/proc/PID/maps` has it.
  var hexadecimal: String {
    func two(_ number: UInt32) -> String { (number < 16 ? "0" : "") + String(number, radix: 16) }
    return "\(two(major)):\(two(minor))"
  }

  var text: String { "\(major):\(minor)" }
}
