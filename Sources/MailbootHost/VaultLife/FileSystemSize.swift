import CLinux
import Glibc
import Linux

/// What a file system's own superblock says.
struct FileSystemSize: Equatable {
  /// `ext4`, `xfs` or `btrfs`.
  var type: String
  var bytes: UInt64
  /// Of ext4: the kernel has found errors.
  var hasErrors = false

  /// Nil: none of these.
  init?(of device: String) {
    let descriptor = mb_open(device, O_RDONLY | O_CLOEXEC, 0)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var start = [UInt8](repeating: 0, count: 70_000)
    let count = pread(descriptor, &start, start.count, 0)
    guard count > 4096 else { return nil }
    self.init(start: Array(start.prefix(count)))
  }

  /// - Parameter start: the first bytes of the device.
  init?(start: [UInt8]) {
    func little(_ offset: Int, _ count: Int) -> UInt64 {
      guard offset + count <= start.count else { return 0 }
      return start[offset..<(offset + count)].reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
    func big(_ offset: Int, _ count: Int) -> UInt64 {
      guard offset + count <= start.count else { return 0 }
      return start[offset..<(offset + count)].reduce(0) { $0 << 8 | UInt64($1) }
    }
    if start.starts(with: Array("XFSB".utf8)) {
      type = "xfs"
      bytes = big(4, 4) * big(8, 8)
    } else if little(1024 + 56, 2) == 0xEF53 {
      type = "ext4"
      let high = little(1024 + 0x60, 4) & 0x80 != 0 ? little(1024 + 0x150, 4) << 32 : 0
      bytes = (high | little(1024 + 4, 4)) * (1024 << (little(1024 + 24, 4) & 31))
      hasErrors = little(1024 + 58, 2) & 2 != 0
    } else if start.count > 65_536 + 0xE0, start[(65_536 + 64)..<(65_536 + 72)].elementsEqual("_BHRfS_M".utf8) {
      type = "btrfs"
      // The one device of it: `dev_item.total_bytes`.
      bytes = little(65_536 + 0xC9 + 8, 8)
    } else {
      return nil
    }
  }
}
