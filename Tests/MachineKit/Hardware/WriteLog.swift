import Foundation

/// Every write to a disk, in its order, as qemu's filter `blklogwrites` keeps them.
/// Source: the kernel's Documentation/admin-guide/device-mapper/log-writes.rst; qemu 7.2, block/blklogwrites.c.
struct WriteLog {
  enum Entry {
    /// - Parameters:
    ///   - offset: on the disk, bytes.
    ///   - data: where its bytes are in the log.
    case write(offset: Int, data: Range<Int>)
    /// Zeroes from then on.
    case discard(offset: Int, count: Int)
    /// What was written before is on the disk, whatever happens.
    case flush
  }

  var entries: [Entry] = []
  private let bytes: Data

  /// Reads what is in the log up to the last flush.
  init(_ path: String) throws {
    bytes = try Data(contentsOf: URL(fileURLWithPath: path), options: .alwaysMapped)
    guard bytes.count >= 512, number(0) == 0x6A_7366_7773_6872 else {
      throw MachineError(.host, "\(path): no log of writes")
    }
    let count = number(16)
    let sector = Int(bytes[24]) | Int(bytes[25]) << 8
    var position = sector
    for _ in 0..<count {
      guard position + sector <= bytes.count else { throw MachineError(.host, "\(path): the log of writes is cut off") }
      let (offset, length, flags) = (number(position) * sector, number(position + 8) * sector, number(position + 16))
      position += sector
      // The order of one entry: a flush comes before its data, its being forced out after them.
      if flags & 1 != 0 { entries.append(.flush) }
      if flags & 4 != 0 {
        entries.append(.discard(offset: offset, count: length))
      } else if length > 0 {
        entries.append(.write(offset: offset, data: position..<position + length))
        position += length
      }
      if flags & 2 != 0 { entries.append(.flush) }
    }
  }

  /// Does one entry on an image.
  /// - Parameter part: of a write: how much of it, from its begin, as it is when the power fails within. What lies in one block of 4096
  ///   bytes, which a disk writes at once, is there or not.
  func apply(_ entry: Entry, to image: FileHandle, part: Double = 1) throws {
    switch entry {
    case .flush: break
    case .write(let offset, let data):
      let count = Self.torn(data.count, offset, part)
      try image.seek(toOffset: UInt64(offset))
      try image.write(contentsOf: bytes[data.lowerBound..<data.lowerBound + count])
    case .discard(let offset, let count):
      try image.seek(toOffset: UInt64(offset))
      try image.write(contentsOf: Data(count: Self.torn(count, offset, part)))
    }
  }

  private static func torn(_ count: Int, _ offset: Int, _ part: Double) -> Int {
    part == 1 ? count : max(0, (offset + Int(Double(count) * part)) / 4096 * 4096 - offset)
  }

  /// Little endian, 64 bits.
  private func number(_ offset: Int) -> Int {
    (0..<8).reversed().reduce(0) { $0 << 8 | Int(bytes[offset + $1]) }
  }
}
