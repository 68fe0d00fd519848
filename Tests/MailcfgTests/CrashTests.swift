import Foundation
import TestSupport
import Testing

/// kill -9, and a power cut, in front of every single change that a verb makes to a file, and at its end.
@Suite struct CrashTests {
  /// A database before a verb, and the verb.
  private static let verbs: [(before: [[String]], verb: [String])] = [
    ([], ["adddom", "new.example"]),
    ([], ["addalias", "@example.org", "anna@example.org"]),
    ([], ["adduser", "new@example.org", "secret", "--scheme", "SHA512-CRYPT", "--quota", "1G"]),
    ([], ["passwd", "bob@example.org", "other", "--scheme", "SHA512-CRYPT"]),
    ([], ["disable", "bob@example.org"]),
    ([["disable", "bob@example.org"]], ["enable", "bob@example.org"]),
    ([], ["set", "bob@example.org", "--send-only"]),
    ([], ["rmalias", "info@example.org"]),
    ([], ["rmuser", "bob@example.org", "--yes"]),
    ([], ["rmdom", "example.org", "--yes"]),
    ([], ["import", "MANY"]),
  ]

  @Test(arguments: verbs.indices, [false, true])
  func theDatabaseIsAsItWasOrAsItShouldBe(index: Int, powerCut: Bool) throws {
    let (before, verb) = Self.verbs[index]
    let crash = try CrashedDatabase(before: before, verb: verb)
    let total = try crash.numberOfChanges()
    #expect(total >= 5, "a commit has at least that many")
    for number in 1...total {
      let (state, said) = try crash.stateAfterCrash(at: number, seed: powerCut ? index : nil)
      #expect(state == crash.before || state == crash.after, "\(verb), killed at change \(number) of \(total)")
      if !said.isEmpty { #expect(state == crash.after, "\(verb) said it was done, \(number) of \(total)") }
    }
    // A password that is revoked, and said to be, stays revoked.
    for seed in 0..<8 where powerCut {
      let (state, said) = try crash.stateAfterCrash(at: total, seed: 1000 + seed)
      #expect(!said.isEmpty && state == crash.after, "\(verb), the power cut off when all was said")
    }
  }

  @Test(arguments: [false, true]) func aBackupIsWholeOrNotThere(powerCut: Bool) throws {
    let mailcfg = try Mailcfg()
    let shim = try CrashShim(in: mailcfg.directory)
    let copy = mailcfg.directory + "/copy"
    func backUp(_ environment: [String]) throws -> Mailcfg.Run {
      try mailcfg.run(
        "/usr/bin/env",
        environment + ["LD_PRELOAD=" + shim.path, try Mailcfg.path, "backup", copy, "--db", mailcfg.database])
    }
    let calls = mailcfg.directory + "/calls"
    #expect(try backUp(["MAILCFG_CALLS=" + calls]).status == 0)
    let whole = try mailcfg.call(["export", "--db", copy]).output
    let total = try #require(Int(String(contentsOfFile: calls, encoding: .utf8)))
    #expect(total >= 5)
    for number in 1...total {
      for name in try FileManager.default.contentsOfDirectory(atPath: mailcfg.directory) where name.hasPrefix("copy") {
        try FileManager.default.removeItem(atPath: mailcfg.directory + "/" + name)
      }
      let run = try backUp(["MAILCFG_KILL_AT=\(number)"] + (powerCut ? ["MAILCFG_SEED=\(number)"] : []))
      guard FileManager.default.fileExists(atPath: copy) else {
        #expect(run.output.isEmpty)
        continue
      }
      #expect(try mailcfg.call(["export", "--db", copy]).output == whole, "\(number) of \(total)")
    }
  }

  @Test func aDatabaseThatWasHalfMadeIsMadeByTheNextCall() throws {
    let temporary = try TemporaryDirectory()
    let shim = try CrashShim(in: temporary.path)
    let path = temporary.file("new.sqlite3")
    func add(_ environment: [String: String] = [:]) throws -> Int32 {
      let process = Process()
      process.executableURL = URL(fileURLWithPath: try Mailcfg.path)
      process.arguments = ["--db", path, "adddom", "new.example"]
      process.environment = environment.merging(["LD_PRELOAD": shim.path]) { $1 }
      process.standardOutput = FileHandle.nullDevice
      process.standardError = FileHandle.nullDevice
      try process.run()
      process.waitUntilExit()
      return process.terminationStatus
    }
    func clear() { for suffix in ["", "-journal"] { try? FileManager.default.removeItem(atPath: path + suffix) } }
    // For whom the file would be, this host may not have.
    _ = FileManager.default.createFile(atPath: path, contents: nil)
    #expect(try add(["MAILCFG_CALLS": temporary.file("calls")]) == 0)
    let total = try #require(Int(String(contentsOfFile: temporary.file("calls"), encoding: .utf8)))
    for number in 1..<total {
      clear()
      _ = FileManager.default.createFile(atPath: path, contents: nil)
      #expect(try add(["MAILCFG_KILL_AT": "\(number)"]) == SIGKILL)
      #expect(try add() == 0, "after \(number) of \(total)")
    }
  }

  /// What the tests above are worth: a program that never syncs does lose or damage something in the same power cuts.
  @Test func aDatabaseThatIsNeverSyncedIsDamaged() throws {
    let crash = try CrashedDatabase(before: [], verb: ["import", "MANY"])
    var damaged = 0
    let total = try crash.numberOfChanges(unsynced: true)
    #expect(total >= 5)
    for number in 1...total where damaged == 0 {
      let (state, _) = try crash.stateAfterCrash(at: number, seed: 1, unsynced: true)
      if state != crash.before && state != crash.after { damaged += 1 }
    }
    #expect(damaged > 0, "none of \(total)")
  }
}

/// A verb that is tried again and again on a copy of the same database.
private final class CrashedDatabase {
  private let temporary: TemporaryDirectory
  private var directory: String { temporary.path }
  private let shim: CrashShim
  private let verb: [String]
  private var original: String { directory + "/original.sqlite3" }
  private var path: String { directory + "/crashed.sqlite3" }
  /// After the whole verb.
  private var finished: String { directory + "/finished.sqlite3" }
  /// What `export` says; passwords have random salts and are left out.
  private(set) var before: String?
  private(set) var after: String?

  init(before steps: [[String]], verb: [String]) throws {
    temporary = try TemporaryDirectory()
    let directory = temporary.path
    shim = try CrashShim(in: directory)
    let many = (1...300).map {
      #"{"email": "u\#($0 * 7919 % 10007)@example.org", "password": "{SHA512-CRYPT}$6$abcdefgh$\#(String(repeating: "x", count: 86))"}"#
    }
    try #"{"users": [\#(many.joined(separator: ","))]}"#.write(
      toFile: directory + "/many.json", atomically: true, encoding: .utf8)
    let accounts = directory + "/many.json"
    self.verb = verb.map { $0 == "MANY" ? accounts : $0 }
    _ = FileManager.default.createFile(atPath: original, contents: nil, attributes: [.posixPermissions: 0o640])
    let setUp = [
      ["adddom", "example.org"], ["adduser", "anna@example.org", "secret", "--scheme", "SHA512-CRYPT"],
      ["adduser", "bob@example.org", "secret", "--scheme", "SHA512-CRYPT"],
      ["addalias", "info@example.org", "anna@example.org"],
    ]
    for step in setUp + steps {
      let status = try run(step, on: original)
      try #require(status == 0, "\(step)")
    }
    before = try state(of: original)
    try copy()
    try #require(try run(self.verb, on: path) == 0)
    after = try state(of: path)
    try #require(before != nil && after != nil && before != after)
    try FileManager.default.copyItem(atPath: path, toPath: finished)
  }

  /// - Parameter unsynced: by a program that does the same and has SQLite sync nothing.
  func numberOfChanges(unsynced: Bool = false) throws -> Int {
    try copy()
    let file = directory + "/calls"
    _ = try crash(["MAILCFG_CALLS": file], unsynced)
    return try #require(Int(String(contentsOfFile: file, encoding: .utf8)))
  }

  /// - Parameter seed: of a power cut; nil: the program alone is killed.
  /// - Returns: nil where the database is damaged; and what the verb had said by then.
  func stateAfterCrash(at number: Int, seed: Int?, unsynced: Bool = false) throws -> (state: String?, said: String) {
    try copy()
    var environment = ["MAILCFG_KILL_AT": "\(number)"]
    if let seed { environment["MAILCFG_SEED"] = "\(seed)" }
    let (status, said) = try crash(environment, unsynced)
    #expect(status == SIGKILL + 128, "killed at \(number)")
    return (try state(of: path), said)
  }

  private func crash(_ environment: [String: String], _ unsynced: Bool) throws -> (status: Int32, said: String) {
    let environment = environment.merging(["LD_PRELOAD": shim.path]) { $1 }
    guard unsynced else {
      let (status, text) = try output(verb, on: path, environment: environment)
      return (status, text)
    }
    // The same rows; the shell takes its statements as an argument.
    let sql = """
      PRAGMA synchronous=OFF; ATTACH '\(finished)' AS done; BEGIN IMMEDIATE;
      INSERT INTO users SELECT * FROM done.users WHERE id NOT IN (SELECT id FROM main.users); COMMIT;
      """
    let (status, text) = try run("/usr/bin/sqlite3", [path, sql], environment: environment, input: nil)
    return (status, text)
  }

  private func copy() throws {
    for suffix in ["", "-journal", "-journal.unlinked"] { try? FileManager.default.removeItem(atPath: path + suffix) }
    try FileManager.default.copyItem(atPath: original, toPath: path)
  }

  /// What is in it; nil when a page is damaged or a row has no domain.
  private func state(of database: String) throws -> String? {
    let (_, text) = try output(["export", "--no-passwords"], on: database)
    let (code, findings) = try output(["check", "--format", "json"], on: database)
    guard [0, 1].contains(code), findings.hasSuffix("]\n"), !findings.contains("\"damage\""),
      !findings.contains("\"orphan\"")
    else { return nil }
    guard verb.first == "passwd" else { return text }
    let right = try ["secret", "other"].filter { try verifies($0, on: database) }
    return text + "password: \(right)"
  }

  private func verifies(_ password: String, on database: String) throws -> Bool {
    let file = directory + "/password"
    try password.write(toFile: file, atomically: true, encoding: .utf8)
    return try run(["verify", verb[1], "--stdin"], on: database, input: file) == 0
  }

  private func run(
    _ arguments: [String], on database: String, environment: [String: String] = [:], input: String? = nil
  ) throws -> Int32 {
    try output(arguments, on: database, environment: environment, input: input).status
  }

  private func output(
    _ arguments: [String], on database: String, environment: [String: String] = [:], input: String? = nil
  ) throws -> (status: Int32, text: String) {
    try run(try Mailcfg.path, ["--db", database] + arguments, environment: environment, input: input)
  }

  private func run(
    _ program: String, _ arguments: [String], environment: [String: String], input: String?
  ) throws -> (status: Int32, text: String) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    process.environment = environment
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = FileHandle.nullDevice
    process.standardInput =
      try input.map { try FileHandle(forReadingFrom: URL(fileURLWithPath: $0)) } ?? FileHandle.nullDevice
    try process.run()
    let data = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    let status = process.terminationStatus + (process.terminationReason == .uncaughtSignal ? 128 : 0)
    return (status, String(decoding: data, as: UTF8.self))
  }
}
