import Foundation
import Testing

/// Whatever ends `apply`, the files are the old ones or the new ones, and the next call says which and goes on.
@Suite(.serialized)
struct ApplyInterruptedTests {
  /// What the files are before and after the change that is interrupted.
  private struct States {
    var old: [String: String]
    var new: [String: String]

    init() throws {
      let tree = try HostTree()
      try tree.settings(ApplyInterruptedTests.start)
      try tree.mailhost(["apply"])
      old = tree.configuration()
      try tree.settings(ApplyInterruptedTests.change)
      try tree.mailhost(["apply"])
      new = tree.configuration()
    }
  }

  /// A host with one generation, and settings for another one.
  private func changed(at path: String? = nil) throws -> HostTree {
    let tree = try HostTree(at: path)
    try tree.settings(Self.start)
    try tree.mailhost(["apply"])
    try tree.settings(Self.change)
    return tree
  }

  // Without keys, which take most of the time.
  private static let start = "dkim_selector = \"\""
  private static let change = "dkim_selector = \"\"\nmessage_size_limit = 1000000\nquota = \"1G\"\nspam_filter = \"\""

  @Test func aKillBeforeAnyStepLeavesOldOrNew() throws {
    let states = try States()
    let (old, new) = (states.old, states.new)
    #expect(old != new)
    var steps = 0
    var notes: Set<String> = []
    for stop in 1...40 {
      let tree = try changed()
      let killed = try tree.mailhost(["apply"], stop: stop)
      if killed.status == 0 {
        #expect(tree.configuration() == new)
        break
      }
      #expect(killed.status == -SIGKILL)
      steps += 1
      // Whoever comes next, here what `mailboot` calls.
      let next = try tree.mailhost(["complete"])
      #expect(next.status == 0, "\(stop): \(next)")
      notes.formUnion(next.errors.split(separator: "\n").filter { $0.hasPrefix("note: ") }.map(String.init))
      #expect(tree.configuration() == old, "killed before step \(stop)")
      // And goes on.
      #expect(try tree.mailhost(["apply"]).status == 0)
      #expect(tree.configuration() == new)
      #expect(try tree.mailhost(["plan"]).status == 0)
    }
    // Stage, validate, begin, a good dozen files, fill, commit.
    #expect(steps > 15)
    #expect(
      notes == ["note: an earlier call was interrupted: what it had begun was taken back, generation 1 is in place"])
  }

  @Test func theFirstApplyIsTakenBackToWhatWasThereBefore() throws {
    for stop in [3, 5, 12, 20] {
      let tree = try HostTree()
      try tree.write("/etc/dovecot/dovecot.conf", "protocols = imap\n")
      let before = tree.configuration()
      let killed = try tree.mailhost(["apply", "--overwrite", "/etc/dovecot/dovecot.conf"], stop: stop)
      #expect(killed.status == -SIGKILL)
      #expect(try tree.mailhost(["complete"]).status == 0)
      #expect(tree.configuration() == before, "killed before step \(stop)")
    }
  }

  /// A real file system that fills up, with ever more room left.
  @Test(.enabled(if: geteuid() == 0, "mounting takes root")) func aFullDiskLeavesOldOrNew() throws {
    let states = try States()
    let (old, new) = (states.old, states.new)
    var failures = 0
    var succeeded = false
    for room in stride(from: 8, through: 600, by: 24) {
      let place = NSTemporaryDirectory() + "mailhost-full-" + UUID().uuidString
      try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
      #expect(try shell("mount -t tmpfs -o size=4m tmpfs '\(place)'") == 0)
      defer {
        _ = try? shell("umount '\(place)'")
        try? FileManager.default.removeItem(atPath: place)
      }
      let tree = try changed(at: place)
      _ = try shell("dd if=/dev/zero of='\(place)/filler' bs=1k 2>/dev/null; truncate -s -\(room)k '\(place)/filler'")
      let applied = try tree.mailhost(["apply"])
      if applied.status == 0 {
        #expect(tree.configuration() == new)
        succeeded = true
        break
      }
      failures += 1
      #expect(applied.errors.contains("No space left on device"), "\(applied)")
      #expect(tree.configuration() == old, "with \(room) KiB: \(applied.errors)")
      _ = try shell("rm '\(place)/filler'")
      let next = try tree.mailhost(["apply"])
      #expect(next.status == 0, "with \(room) KiB: \(next)")
      #expect(tree.configuration() == new)
    }
    #expect(failures > 2)
    #expect(succeeded)
  }

  private func shell(_ command: String) throws -> Int32 {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments = ["-c", command]
    try process.run()
    process.waitUntilExit()
    return process.terminationStatus
  }
}
