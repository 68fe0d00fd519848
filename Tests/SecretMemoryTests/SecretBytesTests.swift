import Foundation
import Linux
import SecretMemory
import Testing

@Suite struct SecretBytesTests {
  @Test func bytesGoInAndComeOut() throws {
    var secret = try SecretBytes(capacity: 4)
    for byte in [0x00, 0xFF, 0x0A] as [UInt8] { try secret.append(byte) }
    #expect(secret.bytes == [0x00, 0xFF, 0x0A])
    #expect(secret.count == 3)
  }

  @Test func aByteBeyondTheCapacityIsRefused() throws {
    var secret = try SecretBytes(capacity: 2)
    try secret.append(1)
    try secret.append(2)
    var refusal: SecretMemoryError?
    do { try secret.append(3) } catch { refusal = error }
    #expect(refusal == .full(capacity: 2))
    #expect(secret.bytes == [1, 2])
  }

  @Test func oneIsAddedToAnotherAsFarAsThereIsRoom() throws {
    var one = try SecretBytes(capacity: 3)
    var other = try SecretBytes(capacity: 2)
    for byte in [7, 8] as [UInt8] { try other.append(byte) }
    let isSameEmpty = one.isSame(as: other)
    #expect(!isSameEmpty)
    try one.append(contentsOf: other)
    let isSame = one.isSame(as: other)
    #expect(isSame)
    var refusal: SecretMemoryError?
    do { try one.append(contentsOf: other) } catch { refusal = error }
    #expect(refusal == .full(capacity: 3))
    #expect(one.bytes == [7, 8])
    try one.append(9)
    let isSameLonger = one.isSame(as: other)
    #expect(!isSameLonger)
  }

  @Test func removedBytesAreWiped() throws {
    var secret = try SecretBytes(capacity: 8)
    for byte in 1...6 as ClosedRange<UInt8> { try secret.append(byte) }
    secret.removeLast(2)
    #expect(secret.bytes == [1, 2, 3, 4])
    var left: [UInt8] = []
    secret.appendInPlace { free in
      left = Array(free)
      return 0
    }
    #expect(left == [0, 0, 0, 0])
    secret.removeLast(100)
    #expect(secret.count == 0)
  }

  @Test func itsPagesAreLockedAndLeftOutOfCoreDumps() throws {
    var secret = try SecretBytes(capacity: 10_000)
    try secret.append(1)
    let address = secret.withUnsafeBytes { UInt(bitPattern: $0.baseAddress!) }
    let flags = try #require(try mappingFlags(at: address))
    #expect(flags.contains("lo"), "locked")
    #expect(flags.contains("dd"), "not dumped")
  }

  @Test func nothingOfItIsLeftInMemoryAfterItsEnd() throws {
    // The pattern exists nowhere but in the secret: what is searched for is its complement.
    let complement = (0..<32).map { _ in UInt8.random(in: 0...255) }
    func found() throws -> Int {
      try occurrencesInOwnMemory(ofComplement: complement)
    }
    #expect(try found() == 0)
    do {
      var secret = try SecretBytes(capacity: 32)
      for byte in complement { try secret.append(~byte) }
      #expect(try found() == 1)
      #expect(secret.count == 32)
    }
    #expect(try found() == 0)
  }

  @Test func memoryThatCannotBeHadIsATypedError() {
    var refusal: SecretMemoryError?
    do { _ = try SecretBytes(capacity: 1 << 60) } catch { refusal = error }
    #expect(refusal == .cannotMap(ENOMEM))
  }

  @Test func aTrailingCarriageReturnIsNoticed() throws {
    var secret = try SecretBytes(capacity: 2)
    #expect(secret.endsWithCarriageReturn == false)
    try secret.append(0x0D)
    #expect(secret.endsWithCarriageReturn == true)
    try secret.append(0x61)
    #expect(secret.endsWithCarriageReturn == false)
  }
}

extension SecretBytes {
  /// A copy for comparing; these secrets are none.
  var bytes: [UInt8] { withUnsafeBytes { Array($0) } }
}

/// The `VmFlags` of the mapping that holds `address`.
private func mappingFlags(at address: UInt) throws -> [Substring]? {
  let all = try lines(of: "/proc/self/smaps")
  var inside = false
  for line in all {
    if let range = addressRange(line) {
      inside = range.contains(address)
    } else if inside && line.hasPrefix("VmFlags:") {
      return line.split(separator: " ").dropFirst().map { $0 }
    }
  }
  return nil
}

/// Read to the end by hand: such a file says that its size is 0.
private func lines(of path: String) throws -> [Substring] {
  let file = try #require(FileHandle(forReadingAtPath: path))
  let text = String(decoding: try file.readToEnd() ?? Data(), as: UTF8.self)
  return text.split(separator: "\n")
}

/// The range at the start of a line of `/proc/self/maps`.
private func addressRange(_ line: Substring) -> Range<UInt>? {
  let ends = line.prefix { $0 != " " }.split(separator: "-").map { UInt($0, radix: 16) }
  guard ends.count == 2, let low = ends[0], let high = ends[1] else { return nil }
  return low..<high
}

/// How often the bytes whose complement is given are in this process's writable memory.
private func occurrencesInOwnMemory(ofComplement complement: [UInt8]) throws -> Int {
  let memory = open("/proc/self/mem", O_RDONLY)
  try #require(memory >= 0)
  defer { close(memory) }
  let maps = try lines(of: "/proc/self/maps")
  let ranges = maps.filter { $0.contains(" rw") }.compactMap(addressRange)
  let size = 1 << 20
  let chunk = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 16)
  defer { chunk.deallocate() }
  let buffer = UInt(bitPattern: chunk.baseAddress!)..<UInt(bitPattern: chunk.baseAddress! + size)
  let wanted = ~complement[0]
  var count = 0
  for range in ranges {
    var position = range.lowerBound
    while position < range.upperBound {
      let length = pread(memory, chunk.baseAddress, min(size, Int(range.upperBound - position)), Int(position))
      guard length > 0 else { break }
      var from = 0
      while from + complement.count <= length,
        let hit = memchr(chunk.baseAddress! + from, Int32(wanted), length - complement.count - from + 1)
      {
        let offset = chunk.baseAddress!.distance(to: hit)
        // The buffer itself shows what was just read into it.
        if !buffer.contains(position + UInt(offset)),
          complement.indices.allSatisfy({ chunk[offset + $0] == ~complement[$0] })
        {
          count += 1
        }
        from = offset + 1
      }
      // Chunks overlap, so that a pattern over their border is seen.
      position += UInt(length == size ? size - complement.count + 1 : length)
    }
  }
  return count
}
