import CLinux
import Glibc
import JSON
import Linux
import MailbootCore

/// Looks at a block device on which a vault is to be made. Changes nothing.
struct DeviceExamination {
  let reactor: Reactor

  /// - Throws: `.vault`: it is in use, a part of something larger, read-only, too small.
  func contents(of device: String, least: UInt64) throws(Failure) -> DeviceContents {
    guard let status = fileStatus(device) else { throw .vault(VaultFailure(.noDevice, errnoText()), device: device) }
    guard mb_s_isblk(status.st_mode) != 0 else {
      throw .usage(
        "\(device) is no block device", hint: "a vault in a file: `mailboot vault create --file PATH --size 10G`")
    }
    let columns = "PATH,TYPE,SIZE,RO,FSTYPE,LABEL,PTTYPE,MOUNTPOINTS"
    let listing = try json(["/usr/bin/lsblk", "--json", "--bytes", "--output", columns, device])
    let signatures = try? json(["/usr/sbin/wipefs", "--no-act", "--json", device])
    guard let listing, var contents = DeviceContents(listing: listing, signatures: signatures ?? nil) else {
      throw .system("what lsblk says of \(device) is not understood")
    }
    if let use = contents.uses.first { throw .vault(VaultFailure(.busy, use.line), device: device) }
    if contents.isReadOnly { throw .vault(VaultFailure(.readOnly, ""), device: device) }
    if contents.size < least {
      throw .vault(
        VaultFailure(.tooSmall, "it has \(contents.size >> 20) MiB, and a vault takes \(least >> 20)"), device: device)
    }
    if let loop = Self.loop(over: device) {
      throw .vault(VaultFailure(.busy, "the loop device /dev/\(loop) shows it"), device: device)
    }
    // Whoever mounts it, or has made something of it, has it for himself.
    let descriptor = mb_open(device, O_RDWR | O_EXCL | O_CLOEXEC, 0)
    guard descriptor >= 0 else {
      throw .vault(VaultFailure(errno == EROFS ? .readOnly : .busy, errnoText()), device: device)
    }
    defer { close(descriptor) }
    if contents.contents.isEmpty, Self.hasData(descriptor, size: contents.size) {
      contents.contents = [
        "\(device): data without a signature, as of an encrypted volume that has its header elsewhere"
      ]
    }
    return contents
  }

  /// A loop device over a device opens it as anybody may, and no list of holders has it.
  static func loop(over device: String, sysfs: String = "/sys") -> String? {
    guard let real = resolvedPath(device) else { return nil }
    return (listDirectory("\(sysfs)/class/block") ?? []).first { name in
      name.hasPrefix("loop") && readAttribute("\(sysfs)/class/block/\(name)/loop/backing_file") == real
    }
  }

  /// Whether anything but zeros is there: what no program gives a name to, such as a volume of VeraCrypt or one whose header is detached,
  /// is not nothing. The start and the end are read, and samples of the rest.
  static func hasData(_ descriptor: Int32, size: UInt64) -> Bool {
    let piece: UInt64 = 64 << 10
    let head = min(size, 4 << 20)
    let tail = size - min(size - head, 1 << 20)
    let samples: UInt64 = 64
    var places = Array(stride(from: 0, to: head, by: Int(piece))) + Array(stride(from: tail, to: size, by: Int(piece)))
    places += (1..<samples).map { size / samples * $0 }
    var bytes = [UInt8](repeating: 0, count: Int(piece))
    for place in places.sorted() {
      let count = pread(descriptor, &bytes, bytes.count, off_t(place))
      // What cannot be read may be anything.
      if count < 0 || bytes.prefix(count).contains(where: { $0 != 0 }) { return true }
    }
    return false
  }

  /// A name that the device has after each boot, whatever is on it: of a partition that of its table, of a volume that of its group, of
  /// a disk that of its maker. Nil: it has none.
  func lastingName(of device: String) throws(Failure) -> String? {
    let call = ["/usr/bin/lsblk", "--json", "--nodeps", "--output", "PATH,TYPE,PARTUUID", device]
    guard let found = try json(call)?["blockdevices"]?.items?.first else { return nil }
    if let partition = found["partuuid"]?.text { return "PARTUUID=\(partition)" }
    if found["type"]?.text == "lvm" { return found["path"]?.text }
    let directory = "/dev/disk/by-id"
    guard found["type"]?.text == "disk", let real = resolvedPath(device) else { return nil }
    return (listDirectory(directory) ?? []).map { "\(directory)/\($0)" }.first { resolvedPath($0) == real }
  }

  private func json(_ call: [String]) throws(Failure) -> JSONText? {
    let child = try startChild(call)
    guard try child.run(reactor, until: Reactor.monotonic() + 30) == .exited(0) else {
      throw .system(Worker.complaint(child))
    }
    // wipefs says nothing at all of an empty device.
    return JSONText(parsing: child.output)
  }
}

extension DeviceContents.Use {
  /// A sentence without its end.
  var line: String {
    switch self {
    case .mounted(let path, let place): "\(path) is mounted on \(place)"
    case .swap(let path): "\(path) is swap space in use"
    case .below(let path, let kind): "\(path) (\(kind)) lies on it"
    case .member(let path, let group): "\(path) is a member of \(group): take it out of there first, if nobody needs it"
    }
  }
}
