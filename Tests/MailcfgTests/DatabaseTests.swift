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

  /// Whoever may read it as a member of its group makes a copy that others than itself may not read.
  @Test(.enabled(if: geteuid() == 0, "only root gives files away"))
  func theCopyOfAReaderIsForNobodyElse() throws {
    let mailcfg = try Mailcfg()
    let script = """
      chgrp 12345 "$1/maildb.sqlite3" && chmod 640 "$1/maildb.sqlite3" && mkdir -m 777 "$1/copies" || exit 99
      setpriv --reuid 65534 --regid 100 --groups 12345 "$0" backup "$1/copies/copy" --db "$1/maildb.sqlite3" || exit
      "$0" backup "$1/copies/roots" --db "$1/maildb.sqlite3" || exit
      stat -c '%u %g %a' "$1/copies/copy" "$1/copies/roots"
      """
    let run = try mailcfg.run("/bin/sh", ["-c", script, try Mailcfg.path, mailcfg.directory])
    #expect(run.lines == ["database backed up", "database backed up", "65534 100 600", "0 12345 640"], "\(run)")
  }

  @Test(.enabled(if: geteuid() == 0, "root may go everywhere"))
  func aDirectoryThatThisUserMayNotEnterIsSaidToBeThat() throws {
    let mailcfg = try Mailcfg()
    let script = """
      mkdir -m 700 "$1/private" "$1/private/sub" && cp "$1/maildb.sqlite3" "$1/private/sub/db" || exit 99
      setpriv --reuid 65534 --regid 65534 --clear-groups "$0" lsdom --db "$1/private/sub/db"
      """
    let run = try mailcfg.run("/bin/sh", ["-c", script, try Mailcfg.path, mailcfg.directory])
    #expect(run.status == 77 && !run.complaint.contains("install -d"), "\(run.complaint)")
  }

  @Test func whoMakesADatabaseIsToldSo() throws {
    let mailcfg = try Mailcfg()
    try Data().write(to: URL(fileURLWithPath: mailcfg.database))
    #expect(chmod(mailcfg.database, 0o644) == 0)
    #expect(
      try mailcfg("adddom", "example.net").complaint.contains("warning: made a new database, \(mailcfg.database)"))
    let mode = try FileManager.default.attributesOfItem(atPath: mailcfg.database)[.posixPermissions] as? Int
    #expect(mode == 0o640, "it was readable for everybody")
    #expect(try !mailcfg("adddom", "example.com").complaint.contains("new database"))
  }

  /// Others see it in the process list as long as it is there.
  @Test func aPasswordAmongTheArgumentsDoesNotStayThere() throws {
    let mailcfg = try Mailcfg()
    let script = """
      sqlite3 "$1" "BEGIN IMMEDIATE; SELECT 'held';" '.shell touch "'"$1"'.held"; sleep 4' >/dev/null & 
      until [ -e "$1.held" ]; do sleep 0.1; done
      "$0" passwd joe@example.org geheim12 --db "$1" &
      sleep 2
      tr '\\0' ' ' </proc/$!/cmdline
      wait
      """
    let run = try mailcfg.run("/bin/bash", ["-c", script, try Mailcfg.path, mailcfg.database])
    #expect(run.output.contains("passwd joe@example.org xxxxxxxx --db") && !run.output.contains("geheim"), "\(run)")
    #expect(run.output.hasSuffix("password updated\n"))
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
    // Unlike something that was found.
    #expect(run.status == (call == ["check"] ? 2 : 1))
    #expect(run.complaint.hasPrefix("error: ") && run.complaint.contains(words))
    #expect(try mailcfg.bytes() == before)
  }
}
