import CLinux
import Glibc
import Linux
import MailbootCore

/// Changes the GPT of a disk so that a power cut leaves the old table or the new one.
///
/// sfdisk(8) writes both copies of a GPT at once, many sectors with no flush between them. Cut there, and with a disk that has a cache, header
/// and entries may belong to different tables; the kernel takes no second copy where the first one is damaged, and the partition is
/// gone (seen). So sfdisk works on a copy of the disk's two ends, and of what it has changed there the second table is written first, and
/// then the first one, in one write each: header and entry of the first 24 partitions lie in the same 4096 bytes.
struct PartitionTable {
  /// What is written, in this order, each on the disk before the next.
  struct Write: Equatable {
    var offset: UInt64
    var bytes: [UInt8]
  }

  /// Both ends that may have a table, bytes: 128 entries and their header take 17 KiB, with sectors of 4096 bytes 24.
  private static let span: UInt64 = 1 << 20
  private static let sector = 512

  let disk: String

  /// What a program changes, of which nothing is written yet.
  /// - Parameter change: gets the path of a file that stands for the disk.
  func writes(_ change: (String) throws(Failure) -> Void) throws(Failure) -> [Write] {
    let source = mb_open(disk, O_RDONLY | O_CLOEXEC, 0)
    guard source >= 0 else { throw .system("\(disk): \(errnoText())") }
    defer { close(source) }
    let end = lseek(source, 0, SEEK_END)
    guard end > 0 else { throw .system("\(disk): \(errnoText())") }
    let size = UInt64(end)
    guard size >= 4 * Self.span else { throw .system("\(disk) is too small for a partition table that can be changed") }
    let places = [size - Self.span, 0]
    let copy = "/run/mailboot/partition-table.\(UInt64.random(in: 0 ... .max))"
    let target = mb_open(copy, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard target >= 0 else { throw .system("\(copy): \(errnoText())") }
    defer {
      close(target)
      unlink(copy)
    }
    guard ftruncate(target, end) == 0 else { throw .system("\(copy): \(errnoText())") }
    var before: [[UInt8]] = []
    for place in places {
      let bytes = try Self.read(source, at: place, disk)
      guard lseek(target, off_t(place), SEEK_SET) >= 0, writeAll(bytes, to: target) else {
        throw .system("\(copy): \(errnoText())")
      }
      before.append(bytes)
    }
    try change(copy)
    var writes: [Write] = []
    for (place, old) in zip(places, before) {
      let new = try Self.read(target, at: place, copy)
      let changed = stride(from: 0, to: old.count, by: Self.sector).filter {
        old[$0..<$0 + Self.sector] != new[$0..<$0 + Self.sector]
      }
      guard let first = changed.first, let last = changed.last else { continue }
      writes.append(Write(offset: place + UInt64(first), bytes: Array(new[first..<last + Self.sector])))
    }
    return writes
  }

  /// Writes it past the page cache, where a neighbour of these sectors may be a partition's and newer there.
  func perform(_ writes: [Write]) throws(Failure) {
    var target = mb_open_direct(disk, O_WRONLY | O_CLOEXEC)
    // Not every file system has it; a disk always has.
    if target < 0, errno == EINVAL { target = mb_open(disk, O_WRONLY | O_CLOEXEC, 0) }
    guard target >= 0 else { throw .system("\(disk): \(errnoText())") }
    defer { close(target) }
    for write in writes {
      var aligned: UnsafeMutableRawPointer?
      guard posix_memalign(&aligned, 4096, write.bytes.count) == 0, let aligned else {
        throw .system("\(disk): \(errnoText(ENOMEM))")
      }
      defer { free(aligned) }
      aligned.copyMemory(from: write.bytes, byteCount: write.bytes.count)
      guard pwrite(target, aligned, write.bytes.count, off_t(write.offset)) == write.bytes.count, fsync(target) == 0
      else { throw .system("the partition table of \(disk) was not written: \(errnoText())") }
    }
  }

  private static func read(_ descriptor: Int32, at offset: UInt64, _ path: String) throws(Failure) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: Int(span))
    var done = 0
    while done < bytes.count {
      let got = bytes.withUnsafeMutableBytes {
        pread(descriptor, $0.baseAddress! + done, $0.count - done, off_t(offset) + off_t(done))
      }
      guard got > 0 || got < 0 && errno == EINTR else { throw .system("\(path): \(errnoText())") }
      done += max(0, got)
    }
    return bytes
  }
}
