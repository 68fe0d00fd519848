import CLinux
import Glibc
import Linux
import MailbootCore
import SecretMemory
import Text

/// `mailboot vault grow`: from the lowest layer upwards, while mail goes on. After a cut the sizes themselves say what is left to do.
extension VaultWork {
  /// What is to be done, and why; changes nothing.
  public struct Growth {
    public let steps: [GrowStep]
    /// What a run that was cut has left.
    public let unfinished: [String]
    /// Whether a step derives the key once more.
    public var takesPassphrase: Bool { steps.contains(.mapping) }
    let layers: VaultLayers
    let device: String
    let header: String?
  }

  /// - Parameter size: bytes that the file or partition is to have; nil: as far as there is room.
  public func planGrowth(to size: UInt64?) throws(Failure) -> Growth {
    let kind = configuration.vault.kind
    if kind.isForeign {
      throw .usage(
        "a volume of \(kind.title) is not grown in place",
        hint: "make a larger one with `mailboot vault create ... --next`, then `mailboot vault move`")
    }
    guard kind == .luks else {
      let why =
        kind == .gocryptfs
        ? "an encrypted directory has no size of its own: it grows with the file system that it lies in"
        : "a directory has no size of its own: it grows with the file system that it lies in"
      throw .usage(why, hint: "see `df -h \(configuration.vault.shownDevice ?? configuration.vault.mount)`")
    }
    let (device, header) = try luks()
    guard try openMapping() != nil else {
      throw .usage("the vault is closed, and grows only while it is open and mounted", hint: "run `mailboot` first")
    }
    let layers = try layers()
    let facts = try facts(device, header: header)
    let steps: [GrowStep]
    do throws(GrowRefusal) {
      steps = try layers.steps(to: size)
    } catch {
      throw refusal(error, device)
    }
    if facts.reencryption != .none {
      throw .usage(
        "a re-encryption has begun; the volume's size must stay", hint: "finish it first: `mailboot vault rekey`")
    }
    if steps.contains(.mapping), let integrity = facts.integrity {
      throw .usage(
        "a volume with integrity (\(integrity)) cannot be grown: its checksums lie between the data",
        hint: "make a larger one with `mailboot vault create ... --next`, then `mailboot vault move`")
    }
    if case .extendFile(let target)? = steps.first(where: { if case .extendFile = $0 { true } else { false } }) {
      try requireRoom(for: device, from: layers.containerBytes, to: target)
    }
    return Growth(steps: steps, unfinished: layers.unfinished, layers: layers, device: device, header: header)
  }

  private func refusal(_ error: GrowRefusal, _ device: String) -> Failure {
    switch error {
    case .smaller(let now):
      .usage(
        "it has \(ByteCount.text(now)) already, and is never made smaller",
        hint: "a smaller one: `mailboot vault create ... --next`, then `mailboot vault move`")
    case .noRoom(let most):
      .usage(
        "\(device) can reach \(ByteCount.text(most)): another partition, or the end of the disk, comes then",
        hint: "give at most that, or make room behind it")
    case .notOurs(let now):
      .usage(
        "\(device) has \(ByteCount.text(now)), and is neither a file nor a partition",
        hint: "make it larger first (`lvextend`, or at the provider's), then run `mailboot vault grow`")
    case .nothingSaid:
      .usage("nothing below is larger than the vault, and a file takes any size", hint: "say which: `--size 20G`")
    }
  }

  /// What keeps the host itself at work, bytes.
  private static let reserve: UInt64 = 64 << 20

  private func requireRoom(for file: String, from old: UInt64, to new: UInt64) throws(Failure) {
    var space = statvfs()
    guard statvfs(file, &space) == 0 else { throw .system("\(file): \(errnoText())") }
    var status = stat()
    guard stat(file, &status) == 0 else { throw .system("\(file): \(errnoText())") }
    let free = UInt64(space.f_bavail) * UInt64(space.f_frsize)
    // A sparse file still needs what it promises.
    let promised = old - min(old, UInt64(status.st_blocks) * 512)
    let needed = new - old + promised + Self.reserve
    guard free >= needed else {
      throw .usage(
        "the disk below \(file) is too full: \(ByteCount.text(needed)) are needed, \(ByteCount.text(free)) are free",
        hint: "make room, or give a smaller `--size`; nothing has been changed")
    }
  }

  /// Sizes as they are now.
  func layers() throws(Failure) -> VaultLayers {
    let vault = LUKSVault(configuration.vault)
    let (device, header) = try luks()
    let facts = try facts(device, header: header)
    guard let mapping = vault.mapping, let mappingBytes = blockBytes(vault.node) else {
      throw .usage("the vault is closed", hint: "run `mailboot` first")
    }
    guard let bytes = blockBytes(device) else { throw .system("\(device): \(errnoText())") }
    guard let size = FileSystemSize(of: vault.node) else {
      let content = DeviceMapper.content(of: mapping) ?? "no file system that is known here"
      throw .usage(
        "\(content) is on \(vault.node): what lies on the mapping is not ours to grow",
        hint: "grow it with its own tools")
    }
    let partition = Partition(of: device)
    let isFile = fileStatus(device).map { mb_s_isreg($0.st_mode) != 0 } ?? false
    return VaultLayers(
      container: isFile ? .file : partition.map { .partition(room: $0.room) } ?? .device, containerBytes: bytes,
      loopBytes: isFile ? loopDevice(of: mapping).flatMap { blockBytes($0) } : nil, mappingBytes: mappingBytes,
      fileSystemBytes: size.bytes, dataOffset: facts.dataOffset, sectorSize: UInt64(facts.sectorSize))
  }

  /// The loop device right below the mapping.
  private func loopDevice(of mapping: MappingStatus) -> String? {
    (listDirectory("/sys/dev/block/\(mapping.device)/slaves") ?? []).first { $0.hasPrefix("loop") }.map { "/dev/\($0)" }
  }

  /// Does the steps, each told of before it begins.
  /// - Parameter passphrase: may be empty when no step takes it.
  public func grow(_ growth: Growth, _ passphrase: borrowing SecretBytes) throws(Failure) {
    for step in growth.steps {
      try reactor.checkSignals()
      note(step.words)
      switch step {
      case .extendFile(let bytes): try extend(growth.device, to: bytes)
      case .extendPartition(let bytes): try extendPartition(growth.device, to: bytes)
      case .loopDevice:
        guard let mapping = try openMapping(), let loop = loopDevice(of: mapping) else {
          throw .system("the loop device below \(configuration.vault.mapping) is gone")
        }
        try mustRun(["/usr/sbin/losetup", "--set-capacity", loop])
      case .mapping:
        let request = VolumeRequest(
          device: growth.device, header: growth.header, mapping: configuration.vault.mapping,
          memoryLimitKiB: availableMemoryKiB())
        _ = try perform(.resize, request, passphrase)
      case .fileSystem: try growFileSystem()
      }
    }
  }

  private func extend(_ file: String, to bytes: UInt64) throws(Failure) {
    let descriptor = mb_open(file, O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0)
    guard descriptor >= 0 else { throw .system("\(file): \(errnoText())") }
    defer { close(descriptor) }
    let old = UInt64(max(0, lseek(descriptor, 0, SEEK_END)))
    // Holes of the old part are left: they are free space of the vault. What is new is really there, or the size stays.
    let code = posix_fallocate(descriptor, off_t(old), off_t(bytes - old))
    guard code == 0 else {
      _ = ftruncate(descriptor, off_t(old))
      throw .system("\(file) cannot be extended: \(errnoText(code)); it has its old size")
    }
    guard fsync(descriptor) == 0 else { throw .system("\(file): \(errnoText())") }
  }

  private func extendPartition(_ device: String, to bytes: UInt64) throws(Failure) {
    guard let partition = Partition(of: device) else { throw .system("\(device) is no partition any more") }
    // A table of DOS is changed in one sector, which may lie anywhere on the disk (logical partitions). A file has sectors of 512 bytes: of
    // a disk with larger ones sfdisk must see the disk itself.
    if !partition.isGPT || partition.hasLargeSectors {
      try changeTable(partition.disk, partition, to: bytes)
    } else {
      let table = PartitionTable(disk: partition.disk)
      let writes = try table.writes { (copy) throws(Failure) in try changeTable(copy, partition, to: bytes) }
      try table.perform(writes)
    }
    try mustRun(["/usr/bin/partx", "--update", "--nr", "\(partition.number)", partition.disk])
  }

  private func changeTable(_ disk: String, _ partition: Partition, to bytes: UInt64) throws(Failure) {
    let sfdisk = ["/usr/sbin/sfdisk", "--no-reread", "--force", "--wipe", "never", "--wipe-partitions", "never"]
    if partition.isGPT {
      // The spare table must be at the end of a disk that has grown.
      _ = try tool(sfdisk + ["--relocate", "gpt-bak-std", disk])
    }
    let child = try startChild(
      sfdisk + ["-N", "\(partition.number)", disk], input: Array(Self.partitionLine(bytes).utf8))
    guard try child.run(reactor, until: nil) == .exited(0) else {
      throw .system("`sfdisk` failed: " + child.errorOutput.split(separator: "\n").suffix(3).joined(separator: "; "))
    }
  }

  /// For sfdisk(8): as large as that, where it is. A bare number would be of sectors, whose size is the disk's.
  static func partitionLine(_ bytes: UInt64) -> String { ",\(bytes >> 10)KiB\n" }

  private func growFileSystem() throws(Failure) {
    let node = LUKSVault(configuration.vault).node
    let mount = configuration.vault.mount
    guard let size = FileSystemSize(of: node) else { throw .system("no file system is on \(node)") }
    switch size.type {
    case "ext4": try mustRun(["/usr/sbin/resize2fs", node])
    case "xfs": try mustRun(["/usr/sbin/xfs_growfs", mount])
    default: try mustRun(["/usr/bin/btrfs", "filesystem", "resize", "max", mount])
    }
  }
}

/// A partition as sysfs shows it, sizes in bytes.
struct Partition: Equatable {
  var disk: String
  var number: Int
  /// How large it could be if nothing is moved.
  var room: UInt64
  var isGPT: Bool
  /// Larger than 512 bytes.
  var hasLargeSectors: Bool

  /// Nil: the path is no partition.
  init?(of path: String, sysfs: String = "/sys") {
    guard let real = resolvedPath(path), let name = real.split(separator: "/").last.map(String.init),
      let number = readAttribute("\(sysfs)/class/block/\(name)/partition").flatMap({ Int($0) }),
      let place = resolvedPath("\(sysfs)/class/block/\(name)")
    else { return nil }
    let above = place.split(separator: "/").dropLast()
    guard let disk = above.last.map(String.init) else { return nil }
    let directory = "/" + above.joined(separator: "/")
    func sectors(_ path: String) -> UInt64? { readAttribute(path).flatMap { UInt64($0) } }
    guard let start = sectors("\(directory)/\(name)/start"), let whole = sectors("\(directory)/size") else {
      return nil
    }
    let others = (listDirectory(directory) ?? []).compactMap { sectors("\(directory)/\($0)/start") }
    let next = others.filter { $0 > start }.min()
    self.disk = "/dev/\(disk)"
    self.number = number
    hasLargeSectors = sectors("\(directory)/queue/logical_block_size").map { $0 > 512 } ?? false
    isGPT =
      readSmallText("/run/udev/data/b\(readAttribute("\(directory)/dev") ?? "")")?
      .contains("E:ID_PART_TABLE_TYPE=gpt") ?? false
    // GPT keeps its spare table in the last 33 sectors; whole MiB, as everybody aligns.
    let end = next ?? (whole > 2048 ? whole - (isGPT ? 34 : 0) : whole)
    let room = end > start ? (end - start) / 2048 * 2048 : 0
    self.room = room * 512
  }
}
