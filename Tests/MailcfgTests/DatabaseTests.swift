import Foundation
import Testing

/// Databases that cannot be used, or not now.
struct DatabaseTests {
  private static let writing = ["adddom", "example.net"]

  @Test(arguments: [["lsdom"], ["lsuser"], ["check"], ["export"], writing, ["disable", "joe@example.org"]])
  func whatIsNoDatabaseIsLeftAlone(_ call: [String]) throws {
    let mailcfg = try Mailcfg()
    try Data(repeating: 0x41, count: 5000).write(to: URL(fileURLWithPath: mailcfg.database))
    try expectRefusal(mailcfg, call, "not an SQLite database")
  }

  @Test(arguments: [["lsuser"], writing])
  func aDamagedDatabaseIsLeftAlone(_ call: [String]) throws {
    let mailcfg = try Mailcfg()
    var bytes = try mailcfg.bytes()
    // All pages but the header of the first.
    for index in 100..<bytes.count { bytes[index] = 0xA5 }
    try bytes.write(to: URL(fileURLWithPath: mailcfg.database))
    try expectRefusal(mailcfg, call, "error: ")
  }

  @Test(arguments: [["lsuser"], writing])
  func aNewerDatabaseIsLeftAlone(_ call: [String]) throws {
    try expectRefusal(try Mailcfg("PRAGMA user_version=99;"), call, "newer mailcfg")
  }

  @Test(arguments: [["lsuser"], writing])
  func aDatabaseInModeWALIsLeftAlone(_ call: [String]) throws {
    try expectRefusal(try Mailcfg("PRAGMA journal_mode=WAL;"), call, "PRAGMA journal_mode=DELETE")
  }

  @Test(arguments: [["lsuser"], ["disable", "joe@example.org"]])
  func anotherProgramsDatabaseIsLeftAlone(_ call: [String]) throws {
    try expectRefusal(try Mailcfg("DROP TABLE users;"), call, "error: ")
  }

  @Test func aMissingDatabaseIsNotMadeByReading() throws {
    let mailcfg = try Mailcfg()
    try FileManager.default.removeItem(atPath: mailcfg.database)
    #expect(try mailcfg("lsdom").status == 1)
    #expect(try mailcfg("adddom", "example.net", "--dry-run").status == 1)
    #expect(!FileManager.default.fileExists(atPath: mailcfg.database))
  }

  @Test func anEmptyFileIsANewDatabase() throws {
    let mailcfg = try Mailcfg()
    try Data().write(to: URL(fileURLWithPath: mailcfg.database))
    #expect(try mailcfg("adddom", "example.net").output == "added domain\n")
    #expect(try mailcfg("lsdom").output == "example.net (id 1)\n")
  }

  @Test func aLockedDatabaseIsWaitedForAndThenNamed() throws {
    let mailcfg = try Mailcfg()
    let holder = Process()
    let input = Pipe()
    let output = Pipe()
    holder.executableURL = URL(fileURLWithPath: "/usr/bin/sqlite3")
    holder.arguments = [mailcfg.database]
    holder.standardInput = input
    holder.standardOutput = output
    try holder.run()
    try input.fileHandleForWriting.write(contentsOf: Data("BEGIN IMMEDIATE; SELECT 'held';\n".utf8))
    #expect(output.fileHandleForReading.availableData.starts(with: Data("held".utf8)))
    let before = try mailcfg.bytes()
    #expect(try mailcfg("lsdom").status == 0, "who only prepares a change holds up no reader")
    let refused = try mailcfg("adddom", "example.net")
    #expect(refused.status == 1 && refused.complaint.contains("locked by another process"))
    #expect(refused.complaint.contains("fuser -v"))
    #expect(try mailcfg.bytes() == before)
    try input.fileHandleForWriting.write(contentsOf: Data("ROLLBACK;\n.quit\n".utf8))
    holder.waitUntilExit()
    #expect(try mailcfg("adddom", "example.net").status == 0)
  }

  @Test func aFullDiskLeavesTheDatabaseAsItWas() throws {
    let mailcfg = try Mailcfg()
    // A file system of its own, in a mount namespace of its own.
    let script = """
      mount -t tmpfs -o size=64k none "$1/disk" && cp "$1/maildb.sqlite3" "$1/disk/db" || exit 99
      dd if=/dev/zero of="$1/disk/rest" bs=4k 2> /dev/null
      "$0" adddom example.net --db "$1/disk/db"; code=$?
      cmp "$1/maildb.sqlite3" "$1/disk/db" || exit 98
      exit $code
      """
    try FileManager.default.createDirectory(atPath: mailcfg.directory + "/disk", withIntermediateDirectories: true)
    let isolation = geteuid() == 0 ? ["-m"] : ["-rm"]
    let run = try mailcfg.run(
      "/usr/bin/unshare", isolation + ["sh", "-c", script, try Mailcfg.path, mailcfg.directory])
    #expect(run.status == 1 && run.output == "")
    #expect(run.complaint.contains("is full") && run.complaint.contains("df -h"))
  }

  @Test func whatCannotBePrintedIsAnError() throws {
    let mailcfg = try Mailcfg()
    let full = try mailcfg.run(
      "/bin/sh", ["-c", #""$0" lsdom --db "$1" > /dev/full"#, try Mailcfg.path, mailcfg.database])
    #expect(full.status == 1 && full.complaint.hasPrefix("error: cannot write to standard output"))
    let closed = try mailcfg.run(
      "/bin/sh", ["-c", #""$0" lsdom --db "$1" >&-"#, try Mailcfg.path, mailcfg.database])
    #expect(closed.status == 1 && closed.complaint.hasPrefix("error: cannot write to standard output"))
    let gone = try mailcfg.run(
      "/bin/bash",
      ["-c", #""$0" help | true; echo "${PIPESTATUS[0]}""#, try Mailcfg.path, mailcfg.database])
    #expect(gone.complaint == "" && ["0", "1"].contains(gone.lines.last))
  }

  private func expectRefusal(_ mailcfg: Mailcfg, _ call: [String], _ words: String) throws {
    let before = try mailcfg.bytes()
    let run = try mailcfg.call(call + ["--db", mailcfg.database])
    #expect(run.status == 1)
    #expect(run.complaint.hasPrefix("error: ") && run.complaint.contains(words))
    #expect(try mailcfg.bytes() == before)
  }
}
