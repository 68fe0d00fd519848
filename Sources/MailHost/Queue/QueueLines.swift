/// The lines of `postqueue -j`, which come in pieces, as mails. One line is held at a time, whatever the length of the queue.
public struct QueueLines {
  /// Bytes of a line; a mail to fifty thousand recipients has as many.
  private static let longest = 8 << 20

  private var begun: [UInt8] = []
  private var isTooLong = false
  /// Lines that were none, or were too long: mails of which nothing can be said.
  public private(set) var unread = 0

  public init() {}

  /// Takes the next piece, and hands over each mail that is whole.
  public mutating func take<Failure: Error>(
    _ piece: [UInt8], each: (QueuedMail) throws(Failure) -> Void
  ) throws(Failure) {
    var rest = piece[...]
    while let end = rest.firstIndex(of: 0x0a) {
      keep(rest[..<end])
      try hand(over: each)
      rest = rest[(end + 1)...]
    }
    keep(rest)
  }

  /// What has no line end yet is a line, too.
  public mutating func finish<Failure: Error>(each: (QueuedMail) throws(Failure) -> Void) throws(Failure) {
    try hand(over: each)
  }

  private mutating func keep(_ bytes: ArraySlice<UInt8>) {
    if isTooLong { return }
    guard begun.count + bytes.count <= Self.longest else {
      isTooLong = true
      begun = []
      return
    }
    begun += bytes
  }

  private mutating func hand<Failure: Error>(over each: (QueuedMail) throws(Failure) -> Void) throws(Failure) {
    let line = begun
    let wasTooLong = isTooLong
    begun.removeAll(keepingCapacity: true)
    isTooLong = false
    if line.isEmpty, !wasTooLong { return }
    guard let mail = QueuedMail(line: line) else {
      unread += 1
      return
    }
    try each(mail)
  }
}
