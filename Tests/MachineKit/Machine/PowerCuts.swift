import Foundation

/// Cuts the power at the writes of one command, and looks at what each cut leaves.
///
/// The disk's every write is logged while the command runs to its end. From the log the disk is made as it was before any one of the
/// writes, with three sorts of luck: all that was written before is there; a part of the write at which it happens as well; any of what was
/// written since the last flush is missing, as a disk with a cache may have it. Each is then a disk of its own, to look at and to go
/// on with.
public struct PowerCuts: Sendable {
  /// One command that is cut. All are of bash, with the disk as `$DISK` and a directory that lasts as `$WORK`.
  public struct Scene: Sendable {
    /// Such as `rekey`.
    public var name: String
    /// Size of the disk, bytes.
    public var bytes: Int
    /// Makes what is there before.
    public var prepare: String
    /// The command that is cut.
    public var command: String
    /// What is done on the disk that went on, so that the others can be opened beside it.
    public var cleanUp: String
    /// Has nothing use the disk any more, whatever went wrong.
    public var letGo = """
      name=$(basename $WORK); umount -q /mnt/$name; umount -q /var/lib/mailboot; dmsetup remove -f $name 2>/dev/null; true
      """
    /// On a cut disk: prints one line, what is found; status 0 when nothing is lost.
    public var look: String
    /// On a cut disk, then: the next run, and that all is well after it; prints one line.
    public var again: String

    public init(
      name: String, bytes: Int, prepare: String, command: String, cleanUp: String, look: String, again: String
    ) {
      self.name = name
      self.bytes = bytes
      self.prepare = prepare
      self.command = command
      self.cleanUp = cleanUp
      self.look = look
      self.again = again
    }
  }

  /// What was found after one cut.
  public struct Row: Sendable {
    public var scene: String
    /// Of the command's writes: before which one, from 1; one more than there are: after the last.
    public var write: Int
    /// How many there are.
    public var writes: Int
    public var luck: Luck
    public var found: String
    public var again: String
    /// Whether both ended well.
    public var isWell: Bool
  }

  public enum Luck: String, Sendable, CaseIterable {
    case inOrder = "in order"
    case torn = "torn"
    case cacheLost = "cache lost"
  }

  private let machine: Machine
  private let directory: String

  /// - Parameter machine: booted; disks are plugged into it.
  public init(_ machine: Machine) throws {
    self.machine = machine
    directory = NSTemporaryDirectory() + "cuts-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
  }

  /// - Parameters:
  ///   - count: of the cuts, at most; the first write and after the last one are always among them.
  ///   - report: called with each row as it is known.
  public func run(_ scene: Scene, count: Int, report: (Row) -> Void = { _ in }) async throws -> [Row] {
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let (image, path) = ("\(directory)/disk", "\(directory)/log")
    try Self.makeEmpty(image, bytes: scene.bytes)
    let serial = "cut-\(scene.name)"
    try await machine.addLoggedDrive(image, log: path, serial: serial)
    func command(_ text: String, _ serial: String) -> String {
      "export DISK=/dev/disk/by-id/virtio-\(serial) WORK=/root/\(serial); mkdir -p $WORK; \(text)"
    }
    try await machine.succeed(command("set -e\n\(scene.prepare)\nsync; sync $DISK", serial), timeout: .seconds(600))
    let before = try WriteLog(path).entries.count
    let done = try await machine.run(
      command(scene.command + "\nended=$?; sync $DISK; exit $ended", serial), timeout: .seconds(900))
    guard done.status == 0 else { throw MachineError(.commandFailed, "\(scene.command): \(done.stderr)") }
    let log = try WriteLog(path)
    try await machine.succeed(command("set -e\n" + scene.cleanUp, serial), timeout: .seconds(300))
    try await machine.removeDrive(serial)
    let writes = log.entries.indices.filter { index in
      if case .flush = log.entries[index] { false } else { index >= before }
    }
    guard !writes.isEmpty else { throw MachineError(.host, "\(scene.name): nothing was written") }
    // One more: after all of them.
    let places = writes + [log.entries.count]
    var rows: [Int: Row] = [:]
    while rows.count < min(count, places.count), let place = Self.next(rows, of: places.count, count: count) {
      let luck = Luck.allCases[rows.count % Luck.allCases.count]
      let copy = "\(directory)/cut"
      try make(copy, bytes: scene.bytes, log, before: places[place], luck)
      // The same disk again, as after a reboot.
      try await machine.addDrive(copy, serial: serial)
      let look = try await machine.run(command("rm -rf $WORK/*\n" + scene.look, serial), timeout: .seconds(600))
      let again = try await machine.run(command(scene.again, serial), timeout: .seconds(900))
      let row = Row(
        scene: scene.name, write: place + 1, writes: writes.count, luck: luck, found: Self.line(look),
        again: Self.line(again), isWell: look.status == 0 && again.status == 0)
      report(row)
      rows[place] = row
      if !row.isWell { try await machine.succeed(command(scene.letGo, serial)) }
      try await machine.removeDrive(serial)
    }
    return rows.sorted { $0.key < $1.key }.map(\.value)
  }

  /// The disk as it was before one entry.
  private func make(_ path: String, bytes: Int, _ log: WriteLog, before end: Int, _ luck: Luck) throws {
    // No luck takes away what was flushed.
    let flushed = log.entries[..<end].lastIndex { if case .flush = $0 { true } else { false } } ?? 0
    try Self.makeEmpty(path, bytes: bytes)
    try Self.change(path) { file in
      for (index, entry) in log.entries[..<end].enumerated()
      where index < flushed || luck != .cacheLost || index % 3 == 0 {
        try log.apply(entry, to: file)
      }
      if luck == .torn, end < log.entries.count { try log.apply(log.entries[end], to: file, part: 0.5) }
    }
  }

  /// Where to look next: at first and last and evenly between them; then, by halves, where what is found changes.
  private static func next(_ rows: [Int: Row], of places: Int, count: Int) -> Int? {
    let first = max(2, min(count * 2 / 3, places))
    let even = (0..<first).map { $0 * (places - 1) / (first - 1) }
    if let place = even.first(where: { rows[$0] == nil }) { return place }
    let known = rows.keys.sorted()
    let gaps = zip(known, known.dropFirst()).filter { $1 - $0 > 1 }
    let changing = gaps.filter { rows[$0]?.found != rows[$1]?.found || rows[$0]?.again != rows[$1]?.again }
    return (changing.isEmpty ? gaps : changing).max { $0.1 - $0.0 < $1.1 - $1.0 }.map { ($0.0 + $0.1) / 2 }
  }

  private static func makeEmpty(_ path: String, bytes: Int) throws {
    try Data().write(to: URL(fileURLWithPath: path))
    try change(path) { try $0.truncate(atOffset: UInt64(bytes)) }
  }

  private static func change(_ path: String, _ body: (FileHandle) throws -> Void) throws {
    guard let file = FileHandle(forUpdatingAtPath: path) else { throw MachineError(.host, "no file \(path)") }
    try body(file)
    try file.close()
  }

  private static func line(_ output: CommandOutput) -> String {
    let text = output.stdout.split(separator: "\n").joined(separator: "; ")
    return output.status == 0 ? text : "\(text) (status \(output.status): \(output.stderr.suffix(300)))"
  }

  /// Rows as a table of Markdown; those beside each other that say the same are one.
  public static func table(_ rows: [Row]) -> String {
    var lines: [String] = []
    var index = 0
    while index < rows.count {
      let first = rows[index]
      let group = rows[index...].prefix {
        $0.scene == first.scene && $0.found == first.found && $0.again == first.again && $0.isWell == first.isWell
      }
      let last = group[group.endIndex - 1]
      index = group.endIndex
      let writes = first.write == last.write ? "\(first.write)" : "\(first.write) to \(last.write)"
      lines.append(
        "| `\(first.scene)` | \(writes) of \(first.writes) | \(group.count) | \(first.found) | \(first.again) | \(first.isWell ? "yes" : "NO") |"
      )
    }
    return
      (["| verb | before write | cuts | found | the next run | nothing lost |", "|---|---|---|---|---|---|"] + lines)
      .joined(separator: "\n") + "\n"
  }
}
