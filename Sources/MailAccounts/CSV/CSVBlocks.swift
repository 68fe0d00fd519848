/// A CSV file in blocks of whole records, each as long as is good to hold in memory.
struct CSVBlocks {
  private let source: ImportSource
  private var rest: [UInt8] = []
  private var isAtEnd = false
  private var isFirst = true
  /// Of the next block.
  private(set) var line = 1

  private static let size = 1 << 20
  /// A record that is longer is a mistake in the quotes, for the reader to find.
  private static let limit = 16 << 20

  init(_ source: ImportSource) { self.source = source }

  /// The next block, and the line that it begins in; nil at the end.
  mutating func next() throws(AccountError) -> (bytes: [UInt8], line: Int)? {
    while !isAtEnd, rest.count < Self.size || (rest.count < Self.limit && lastRecordEnd == nil) {
      let more = try source.read()
      isAtEnd = more.isEmpty
      rest += more
    }
    if isFirst, rest.starts(with: [0xEF, 0xBB, 0xBF]) { rest.removeFirst(3) }
    isFirst = false
    guard !rest.isEmpty else { return nil }
    let end = isAtEnd ? rest.count : lastRecordEnd ?? rest.count
    let block = Array(rest[..<end])
    rest.removeFirst(end)
    let first = line
    line += block.count { $0 == UInt8(ascii: "\n") }
    return (block, first)
  }

  /// Behind the last line end that is in no quotes: those before it are even in number then.
  private var lastRecordEnd: Int? {
    var isQuoted = false
    var end: Int?
    for (index, byte) in rest.enumerated() {
      if byte == UInt8(ascii: "\"") { isQuoted.toggle() }
      if byte == UInt8(ascii: "\n"), !isQuoted { end = index + 1 }
    }
    return end
  }
}
