import Glibc
import Linux

/// A descriptor, read in pieces.
struct AgeInput {
  private let descriptor: Int32
  private var buffer: [UInt8] = []
  private var isAtEnd = false

  init(_ descriptor: Int32) { self.descriptor = descriptor }

  /// The next bytes, which stay to be read; fewer than `count` only at the end.
  mutating func peek(_ count: Int) throws(AgeError) -> ArraySlice<UInt8> {
    var chunk = [UInt8](repeating: 0, count: 65536)
    while buffer.count < count, !isAtEnd {
      let got = chunk.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
      if got < 0, errno == EINTR { continue }
      guard got >= 0 else { throw .input(SystemError(errnoText(), code: errno)) }
      isAtEnd = got == 0
      buffer += chunk[..<got]
    }
    return buffer.prefix(count)
  }

  /// The next bytes; fewer only at the end.
  mutating func take(_ count: Int) throws(AgeError) -> [UInt8] {
    let bytes = Array(try peek(count))
    buffer.removeFirst(bytes.count)
    return bytes
  }

  /// The next line, without its end; nil where there is none that is whole.
  mutating func line(limit: Int) throws(AgeError) -> [UInt8]? {
    var looked = 128
    while true {
      let bytes = try peek(looked)
      if let end = bytes.firstIndex(of: UInt8(ascii: "\n")) {
        let line = Array(bytes[..<end])
        buffer.removeFirst(line.count + 1)
        return line
      }
      guard bytes.count == looked, looked < limit else { return nil }
      looked *= 2
    }
  }
}
