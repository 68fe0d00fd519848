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
  ///   - count: of the cuts, at most; the first and the last writes are always among them.
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
    let done = try await machine.run(command(scene.command + "\nstatus=$?; sync $DISK; exit $status", serial), timeout: .seconds(900))
    guard done.status == 0 else { throw MachineError(.commandFailed, "\(scene.command): \(done.stderr)") }
    let log = try WriteLog(path)
    try await machine.succeed(command("set -e\n" + scene.cleanUp, serial), timeout: .seconds(300))
    let cuts = Self.moments(log.entries, after: before, count: count)
    guard !cuts.isEmpty else { throw MachineError(.host, "\(scene.name): nothing was written") }
    let base = "\(directory)/base"
    try Self.makeEmpty(base, bytes: scene.bytes)
    var (rows, applied) = ([Row](), 0)
    for (number, cut) in cuts.enumerated() {
      let luck = Luck.allCases[number % Luck.allCases.count]
      // The base has what no luck takes away: all up to the last flush.
      let flushed = log.entries[..<cut.entry].lastIndex { if case .flush = $0 { true } else { false } } ?? 0
      try Self.change(base) { for entry in log.entries[applied..<max(applied, flushed)] { try log.apply(entry, to: $0) } }
      applied = max(applied, flushed)
      let copy = "\(directory)/cut"
      try HostCommand.run(["cp", "--sparse=always", base, copy])
      try Self.change(copy) {
        for (index, entry) in log.entries[applied..<cut.entry].enumerated()
        where luck != .cacheLost || (index &* 7 &+ number) % 3 == 0 {
          try log.apply(entry, to: $0)
        }
        if luck == .torn, cut.entry < log.entries.count { try log.apply(log.entries[cut.entry], to: $0, part: 0.5) }
      }
      let serial = "c\(number)-\(scene.name)"
      try await machine.addDrive(copy, serial: serial)
      let look = try await machine.run(command(scene.look, serial), timeout: .seconds(600))
      let again = try await machine.run(command(scene.again, serial), timeout: .seconds(900))
      let row = Row(
        scene: scene.name, write: cut.write, writes: cuts[cuts.count - 1].write - 1, luck: luck,
        found: Self.line(look), again: Self.line(again), isWell: look.status == 0 && again.status == 0)
      report(row)
      rows.append(row)
      // What does not come out stays, and disturbs nothing.
      if row.isWell { try await machine.removeDrive(serial) }
    }
    return rows
  }

  /// Before which entries the power fails.
  /// - Returns: at most `count`; of the writes the first four and the last eight, and as many between them, evenly; last, after all.
  private static func moments(
    _ entries: [WriteLog.Entry], after begin: Int, count: Int
  ) -> [(entry: Int, write: Int)] {
    let writes = entries.indices.filter { index in
      if case .flush = entries[index] { false } else { index >= begin }
    }
    guard !writes.isEmpty else { return [] }
    let all = writes.enumerated().map { (entry: $0.element, write: $0.offset + 1) } + [(entries.count, writes.count + 1)]
    guard all.count > count else { return all }
    let (head, tail) = (min(4, count / 3), min(9, count / 3))
    let middle = all[head..<all.count - tail]
    let wanted = count - head - tail
    let picked = (0..<wanted).map { middle[middle.startIndex + $0 * middle.count / wanted] }
    return all.prefix(head) + picked + all.suffix(tail)
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
