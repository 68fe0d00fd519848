import Foundation

/// Cuts the power at several moments of one command, and looks at what each cut leaves.
///
/// The vault's disk is a raw file whose every finished write is there at once. At each moment the machine stands still while the file is
/// copied: the copy is the disk as a power cut would leave it. Each copy is then a disk of its own, to look at and to go on with.
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
    /// What is done on the disk that went on, so that the copies can be opened beside it.
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
    /// Seconds after the command began.
    public var moment: Double
    public var found: String
    public var again: String
    /// Whether both ended well.
    public var isWell: Bool
  }

  private let machine: Machine
  private let directory: String

  /// - Parameter machine: booted; disks are plugged into it and stay there.
  public init(_ machine: Machine) throws {
    self.machine = machine
    directory = NSTemporaryDirectory() + "cuts-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
  }

  /// - Parameters:
  ///   - first: seconds from the command's begin to the first cut.
  ///   - interval: seconds between two.
  ///   - count: at most that many: none after the command's end.
  public func run(_ scene: Scene, first: Double, interval: Double, count: Int) async throws -> [Row] {
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let image = "\(directory)/disk"
    try Data().write(to: URL(fileURLWithPath: image))
    guard let file = FileHandle(forWritingAtPath: image) else { throw MachineError(.host, "no file \(image)") }
    try file.truncate(atOffset: UInt64(scene.bytes))
    try file.close()
    let serial = "cut-\(scene.name)"
    try await machine.addDirectDrive(image, serial: serial)
    func command(_ text: String, _ serial: String) -> String {
      "export DISK=/dev/disk/by-id/virtio-\(serial) WORK=/root/\(serial); mkdir -p $WORK; \(text)"
    }
    try await machine.succeed(command("set -e; \(scene.prepare)", serial), timeout: .seconds(600))
    let running = try await machine.start(command("\(scene.command); echo $? >$WORK/ended", serial))
    let begun = Date()
    var copies: [(moment: Double, image: String)] = []
    for number in 0..<count {
      let wanted = first + Double(number) * interval
      let left = wanted - Date().timeIntervalSince(begun)
      if left > 0 { try await Task.sleep(for: .seconds(left)) }
      let moment = Date().timeIntervalSince(begun)
      let copy = "\(directory)/cut\(number)"
      try await machine.copyAsCut(image, to: copy)
      copies.append((moment, copy))
      if try await machine.run("test -e /root/\(serial)/ended").status == 0 { break }
    }
    let ended = try await running.wait(timeout: .seconds(900))
    try await machine.succeed(command(scene.cleanUp, serial), timeout: .seconds(300))
    guard ended.status == 0 else { throw MachineError(.commandFailed, "\(scene.command): \(ended.stderr)") }
    var rows: [Row] = []
    for (number, copy) in copies.enumerated() {
      let serial = "c\(number)-\(scene.name)"
      try await machine.addDrive(copy.image, serial: serial)
      let look = try await machine.run(command(scene.look, serial), timeout: .seconds(600))
      let again = try await machine.run(command(scene.again, serial), timeout: .seconds(900))
      rows.append(
        Row(
          scene: scene.name, moment: copy.moment, found: Self.line(look), again: Self.line(again),
          isWell: look.status == 0 && again.status == 0))
    }
    return rows
  }

  private static func line(_ output: CommandOutput) -> String {
    let text = output.stdout.split(separator: "\n").joined(separator: "; ")
    return output.status == 0 ? text : "\(text) (status \(output.status): \(output.stderr.suffix(300)))"
  }

  /// Rows as a table of Markdown.
  public static func table(_ rows: [Row]) -> String {
    let lines = rows.map { row in
      "| \(row.scene) | \(String(format: "%.1f s", row.moment)) | \(row.found) | \(row.again) | \(row.isWell ? "yes" : "NO") |"
    }
    return (["| verb | cut after | found | the next run | nothing lost |", "|---|---|---|---|---|"] + lines)
      .joined(separator: "\n") + "\n"
  }
}
