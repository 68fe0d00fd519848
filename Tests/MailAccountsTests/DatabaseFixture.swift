import Foundation
import SQLite
import TestSupport
import Testing

@testable import MailAccounts

/// A real database file in a directory of its own, removed with the value.
final class DatabaseFixture {
  private let temporary: TemporaryDirectory
  var directory: String { temporary.path }
  let path: String

  init(_ statements: String? = nil) throws {
    temporary = try TemporaryDirectory()
    path = temporary.file("maildb.sqlite3")
    if let statements { try execute(statements, creating: true) }
  }

  /// The schema as the old program made it, with one domain, two users and an alias.
  static func old() throws -> DatabaseFixture {
    try DatabaseFixture(
      Schema.creation + """
        INSERT INTO domains (name) VALUES ('example.org');
        INSERT INTO users (domain_id, password, email) VALUES (1, '\(someHash.text)', 'anna@example.org');
        INSERT INTO users (domain_id, password, email) VALUES (1, '\(someHash.text)', 'bob@example.org');
        INSERT INTO aliases (domain_id, src, dst) VALUES (1, 'info@example.org', 'anna@example.org');
        """)
  }

  /// As another program does it: no foreign keys.
  func execute(_ statements: String, creating: Bool = false) throws {
    if creating, !FileManager.default.fileExists(atPath: path) {
      _ = FileManager.default.createFile(atPath: path, contents: Data(), attributes: [.posixPermissions: 0o640])
    }
    try connection().execute(statements)
  }

  func connection() throws -> SQLiteConnection {
    try SQLiteConnection(path: path, access: .readWrite, busyMilliseconds: 1000)
  }

  /// The first column of a query.
  func column(_ sql: String) throws -> [String] { try connection().column(sql) }

  var bytes: Data { (try? Data(contentsOf: URL(fileURLWithPath: path))) ?? Data() }

  func open(_ access: AccountDatabase.Access = .change, busySeconds: Int = 1) throws -> AccountDatabase {
    try AccountDatabase(path: path, access, busySeconds: busySeconds)
  }

  @discardableResult
  func perform(_ request: Request, dryRun: Bool = false) throws -> Outcome {
    try #require(try open().perform(request, dryRun: dryRun))
  }

  /// Imports rows; with a dry run the database is opened for reading.
  /// - Returns: what was done, and a line for each change that was planned.
  @discardableResult
  func importing(
    _ rows: [ImportRow], _ options: ImportOptions = ImportOptions(), dryRun: Bool = false
  ) throws -> (summary: ImportSummary, lines: [String]) {
    try importing(options, dryRun: dryRun) { stage in for row in rows { try stage.add(row) } }
  }

  @discardableResult
  func importing(
    json: String, _ options: ImportOptions = ImportOptions(), dryRun: Bool = false
  ) throws -> (summary: ImportSummary, lines: [String]) {
    try importing(options, dryRun: dryRun) { stage in
      _ = try ImportFile.read(json: ImportSource(Array(json.utf8))) { (row) throws(AccountError) in try stage.add(row) }
    }
  }

  private func importing(
    _ options: ImportOptions, dryRun: Bool, _ fill: (ImportStage) throws -> Void
  ) throws -> (summary: ImportSummary, lines: [String]) {
    let database = try open(dryRun ? .read : .change)
    let stage = try database.newImport()
    try fill(stage)
    var lines: [String] = []
    let summary = try database.make(stage, options, dryRun: dryRun) { _ in
      true
    } planned: {
      lines.append($0.line)
    }
    return (try #require(summary), lines)
  }

  /// The error of an import, which must have left every byte as it was.
  func refusal(of rows: [ImportRow], _ options: ImportOptions = ImportOptions()) throws -> AccountError? {
    let before = bytes
    do {
      try importing(rows, options)
      return nil
    } catch let error as AccountError {
      #expect(bytes == before)
      return error
    }
  }

  func export(withPasswords: Bool = true) throws -> String {
    var text = ""
    try open(.read).export(withPasswords: withPasswords) {
      text = ""
    } _: {
      text += $0
    }
    return text
  }

  /// The error of a request, which must have left every byte as it was.
  func refusal(of request: Request) throws -> AccountError? {
    let before = bytes
    do throws(AccountError) {
      let database = try AccountDatabase(path: path, .change, busySeconds: 1)
      _ = try database.perform(request)
      return nil
    } catch {
      #expect(bytes == before)
      return error
    }
  }
}

/// Of "secret", by perl's `crypt`.
let someHash = PasswordHash(
  text: "{SHA512-CRYPT}$6$rounds=200000$abcdefgh$nUZSICAH8m.0Zf"
    + "qBc3RaARNZgI9DlkCHAMWlq7JKXZi9CiuWXjeB.zm5tT/ShrDn93diyQBmzruwu8XvqmJ5F.")

extension Request {
  static func user(_ email: String, limits: Limits = Limits(), createDomain: Bool = false) throws -> Request {
    .addUser(try EmailAddress(email), someHash, limits, isActive: true, createDomain: createDomain)
  }

  static func alias(_ source: String, _ destination: String) throws -> Request {
    .addAlias(try AliasSource(source), try AliasDestinations(destination), createDomain: false)
  }
}
