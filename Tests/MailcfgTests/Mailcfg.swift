import Foundation
import TestSupport
import Testing

/// The built `mailcfg` with a database of its own, made by the statements of the script that it replaces.
final class Mailcfg {
  struct Run {
    var status: Int32
    var output: String
    var complaint: String

    /// Lines of standard output.
    var lines: [String] { output.split(separator: "\n", omittingEmptySubsequences: true).map(String.init) }
  }

  private let temporary: TemporaryDirectory
  var directory: String { temporary.path }
  let database: String

  /// - Parameter sql: what the database has besides example.org with joe, whose password is "secret".
  init(_ sql: String = "") throws {
    temporary = try TemporaryDirectory()
    database = temporary.file("maildb.sqlite3")
    try run("/usr/bin/sqlite3", [database, Self.schema + sql])
  }

  static let schema = """
    CREATE TABLE domains (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
    CREATE UNIQUE INDEX name_idx ON domains (name);
    CREATE TABLE users (id INTEGER PRIMARY KEY, domain_id INTEGER NOT NULL, password TEXT NOT NULL,
      email TEXT NOT NULL UNIQUE, active INTEGER DEFAULT 1,
      FOREIGN KEY (domain_id) REFERENCES domains (id) ON DELETE CASCADE);
    CREATE UNIQUE INDEX email_idx ON users (email);
    CREATE TABLE aliases (id INTEGER PRIMARY KEY, domain_id INTEGER NOT NULL, src TEXT NOT NULL, dst TEXT NOT NULL,
      UNIQUE (src, dst), FOREIGN KEY (domain_id) REFERENCES domains (id) ON DELETE CASCADE);
    CREATE INDEX source_idx ON aliases (src);
    INSERT INTO domains VALUES (1, 'example.org');
    INSERT INTO users VALUES (1, 1, '{PLAIN}secret', 'joe@example.org', 1);

    """

  static var path: String { get throws { try builtProgram("mailcfg") } }

  /// Runs it on the database.
  func callAsFunction(_ arguments: String..., input: String = "") throws -> Run {
    try call(arguments + ["--db", database], input: input)
  }

  func call(_ arguments: [String], input: String = "") throws -> Run {
    try run(try Self.path, arguments, input: input)
  }

  /// Rows of the database, columns parted by `|`.
  func rows(_ sql: String) throws -> [String] { try run("/usr/bin/sqlite3", [database, sql]).lines }

  /// The database's bytes.
  func bytes() throws -> Data { try Data(contentsOf: URL(fileURLWithPath: database)) }

  /// Runs another program to its end.
  @discardableResult
  func run(_ program: String, _ arguments: [String], input: String = "") throws -> Run {
    let process = Process()
    // Files, not pipes: who ends without reading causes no SIGPIPE, and who writes much waits for nobody.
    let files = try ["in", "out", "err"].map { name in
      let path = "\(directory)/\(UUID().uuidString).\(name)"
      try Data((name == "in" ? input : "").utf8).write(to: URL(fileURLWithPath: path))
      return path
    }
    defer { for file in files { try? FileManager.default.removeItem(atPath: file) } }
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    process.standardInput = try FileHandle(forReadingFrom: URL(fileURLWithPath: files[0]))
    process.standardOutput = try FileHandle(forWritingTo: URL(fileURLWithPath: files[1]))
    process.standardError = try FileHandle(forWritingTo: URL(fileURLWithPath: files[2]))
    try process.run()
    process.waitUntilExit()
    let texts = try files[1...].map { try String(contentsOfFile: $0, encoding: .utf8) }
    return Run(status: process.terminationStatus, output: texts[0], complaint: texts[1])
  }
}
