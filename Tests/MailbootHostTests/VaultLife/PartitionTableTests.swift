import Foundation
import TestSupport
import Testing

@testable import MailbootHost

/// A file with a partition table stands for the disk; sfdisk is real.
@Suite(.enabled(if: geteuid() == 0, "the copy lies in /run/mailboot")) struct PartitionTableTests {
  private final class Disk {
    let directory: TemporaryDirectory
    var path: String { directory.file("disk") }

    init(_ script: String) throws {
      directory = try TemporaryDirectory()
      try run("truncate -s 64M \(path) && printf '\(script)' | /usr/sbin/sfdisk -q \(path) && mkdir -p /run/mailboot")
    }

    @discardableResult func run(_ command: String) throws -> String {
      let run = try runInShell(command)
      try #require(run.status == 0, "\(command): \(run.output)")
      return run.output
    }

    func grown() throws -> [PartitionTable.Write] {
      try PartitionTable(disk: path).writes { copy in
        _ = try? self.run("printf ',40960KiB\\n' | /usr/sbin/sfdisk -q --no-reread --force --wipe never -N 1 \(copy)")
      }
    }

    /// Size of the first partition in sectors, by the table at the disk's begin alone.
    func size() throws -> Int? {
      let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
      // Where the header's checksum does not hold, or the spare one is used, sfdisk says so.
      let said = try runInShell("/usr/sbin/sfdisk --dump \(path)")
      guard said.status == 0, !said.output.contains("corrupt") || bytes[512..<520] == Data("EFI PART".utf8) else {
        return nil
      }
      return said.output.firstMatch(of: /size= *(\d+)/).flatMap { Int($0.1) }
    }
  }

  @Test func theSpareTableIsWrittenFirstAndEachInOneWrite() throws {
    let disk = try Disk("label: gpt\\nsize=20M\\n")
    let writes = try disk.grown()
    #expect(writes.count == 2)
    #expect(writes.first.map { $0.offset > 63 << 20 } == true)
    // Header and entry.
    #expect(writes.last.map { $0.offset == 512 && $0.bytes.count == 1024 } == true)
    #expect(try disk.size() == 40960, "nothing is written yet")
    for (index, write) in writes.enumerated() {
      try PartitionTable(disk: disk.path).perform([write])
      #expect(try disk.size() == (index == 0 ? 40960 : 81920))
      let said = try disk.run("/usr/sbin/sfdisk --dump \(disk.path) 2>&1")
      #expect(said.contains("corrupt") == false, "\(said)")
    }
    #expect(try disk.run("/usr/sbin/sfdisk --verify \(disk.path) 2>&1").contains("No errors detected"))
  }

  @Test func atTheEndOfADiskThatHasGrownIsTheSpareTableThen() throws {
    let disk = try Disk("label: gpt\\nsize=20M\\n")
    try disk.run("truncate -s 96M \(disk.path)")
    let table = PartitionTable(disk: disk.path)
    let writes = try table.writes { copy in
      _ = try? disk.run(
        "/usr/sbin/sfdisk -q --no-reread --force --wipe never --relocate gpt-bak-std \(copy); printf ',81920KiB\\n' | /usr/sbin/sfdisk -q --no-reread --force --wipe never -N 1 \(copy)"
      )
    }
    #expect(writes.count == 2 && writes[0].offset > 95 << 20)
    try table.perform(writes)
    #expect(try disk.size() == 163840)
    #expect(try disk.run("/usr/sbin/sfdisk --verify \(disk.path) 2>&1").contains("No errors detected"))
  }

  @Test func aTableOfDOSIsOneSector() throws {
    let disk = try Disk("label: dos\\nsize=20M\\n")
    let writes = try disk.grown()
    #expect(writes.map(\.offset) == [0] && writes[0].bytes.count == 512)
    try PartitionTable(disk: disk.path).perform(writes)
    #expect(try disk.size() == 81920)
  }
}
