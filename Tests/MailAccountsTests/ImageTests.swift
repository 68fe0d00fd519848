import Foundation
import SQLite
import TestSupport
import Testing

@testable import MailAccounts

/// The whole database as bytes in memory, and replaced by such.
@Suite struct ImageTests {
  private func fixture(pageSize: Int = 4096) throws -> DatabaseFixture {
    let fixture = try DatabaseFixture.old()
    try fixture.execute("PRAGMA page_size=\(pageSize); VACUUM")
    return fixture
  }

  private func users(_ database: borrowing AccountDatabase) throws -> [String] {
    var users: [String] = []
    try database.users { users.append($0.email) }
    return users
  }

  @Test(arguments: [512, 1024, 4096, 65536])
  func anImageHasAll(_ pageSize: Int) throws {
    let fixture = try fixture(pageSize: pageSize)
    let image = try fixture.open(.read).image()
    let copy = try AccountDatabase.reading(image: image, called: "it")
    #expect(try users(copy) == ["anna@example.org", "bob@example.org"])
    #expect(try !copy.check().contains { $0.kind == "damage" })
    // It is a file as any other.
    let directory = try TemporaryDirectory()
    let path = try directory.write("image", Data(image))
    #expect(
      try SQLiteConnection(path: path, access: .readOnly, busyMilliseconds: 0).column("PRAGMA integrity_check")
        == ["ok"])
  }

  @Test(arguments: [(1024, 4096), (4096, 1024), (4096, 4096)])
  func theContentsAreReplacedInTheSameFile(_ sizes: (Int, Int)) throws {
    let fixture = try fixture(pageSize: sizes.0)
    let other = try self.fixture(pageSize: sizes.1)
    try other.execute("DELETE FROM users; INSERT INTO domains(name) VALUES ('new.example')")
    let image = try other.open(.read).image()
    let before = try FileManager.default.attributesOfItem(atPath: fixture.path)
    // As a daemon that has it open.
    let reader = try SQLiteConnection(path: fixture.path, access: .readOnly, busyMilliseconds: 0)
    #expect(try reader.column("SELECT email FROM users").count == 2)
    let database = try fixture.open(.read)
    #expect(try database.replaceContents(with: image, since: database.moment()))
    #expect(try reader.column("SELECT email FROM users").isEmpty)
    #expect(try fixture.column("SELECT name FROM domains ORDER BY name") == ["example.org", "new.example"])
    #expect(try fixture.column("PRAGMA integrity_check") == ["ok"])
    let after = try FileManager.default.attributesOfItem(atPath: fixture.path)
    for key in [FileAttributeKey.systemFileNumber, .posixPermissions, .ownerAccountID] {
      #expect(before[key] as? Int == after[key] as? Int)
    }
    #expect(!FileManager.default.fileExists(atPath: fixture.path + "-journal"))
  }

  @Test func whatWasChangedMeanwhileStays() throws {
    let fixture = try fixture()
    let database = try fixture.open(.read)
    let image = try database.image()
    let moment = try database.moment()
    try fixture.perform(.setActive("bob@example.org", false))
    let bytes = fixture.bytes
    #expect(try !database.replaceContents(with: image, since: moment))
    #expect(fixture.bytes == bytes)
    // Another file in its place, too.
    let later = try database.moment()
    try FileManager.default.copyItem(atPath: fixture.path, toPath: fixture.path + ".new")
    #expect(rename(fixture.path + ".new", fixture.path) == 0)
    #expect(try !database.replaceContents(with: image, since: later))
  }

  @Test func whoeverHoldsALockIsWaitedForAndThenSaid() throws {
    let fixture = try fixture()
    let image = try fixture.open(.read).image()
    let database = try fixture.open(.read)
    let moment = try database.moment()
    let other = try fixture.connection()
    try other.execute("BEGIN IMMEDIATE")
    let error = #expect(throws: AccountError.self) { try database.replaceContents(with: image, since: moment) }
    #expect(error == .database(.busy(seconds: 1), path: fixture.path))
    try other.execute("ROLLBACK")
    #expect(try database.replaceContents(with: image, since: moment))
  }

  @Test(arguments: [
    "CREATE VIEW v AS SELECT 1", "CREATE TRIGGER t AFTER INSERT ON users BEGIN DELETE FROM users; END",
    """
    DROP TABLE users;
    CREATE VIEW users(id, domain_id, password, email, active) AS
      WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x, 1, 'x', 'a@example.org', 1 FROM n
    """,
    "CREATE VIRTUAL TABLE v USING rtree(id, a, b)",
  ])
  func whatWouldRunUnseenIsRefused(_ statements: String) throws {
    let fixture = try fixture()
    try fixture.execute(statements)
    let image = Array(fixture.bytes)
    let error = #expect(throws: AccountError.self) { _ = try AccountDatabase.reading(image: image, called: "it") }
    #expect(error?.description.contains("it is refused: it has the ") == true, "\(String(describing: error))")
  }

  /// On the host that has it in use it is the administrator's own.
  @Test func ofTheHostsOwnItIsNot() throws {
    let fixture = try fixture()
    try fixture.execute("CREATE VIEW v AS SELECT email FROM users")
    let copy = try AccountDatabase.reading(image: Array(fixture.bytes), called: "it", isOwn: true)
    #expect(try users(copy).count == 2)
  }

  @Test func nothingIsReadForEver() throws {
    let connection = try SQLiteConnection.reading(image: Array(try fixture().bytes), seconds: 1)
    let endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n"
    for _ in 1...2 {
      let error = #expect(throws: SQLiteFailure.self) { _ = try connection.column(endless) }
      #expect(error?.kind == .interrupted)
    }
    let error = #expect(throws: SQLiteFailure.self) {
      _ = try connection.givingWay { () throws(SQLiteFailure) in try connection.column(endless) }
    }
    #expect(error?.kind == .interrupted)
  }

  @Test func whatIsNoAccountDatabaseIsRefused() throws {
    let fixture = try fixture()
    let image = try fixture.open(.read).image()
    func problem(_ bytes: [UInt8]) -> AccountError? {
      do throws(AccountError) {
        _ = try AccountDatabase.reading(image: bytes, called: "it").check()
        return nil
      } catch {
        return error
      }
    }
    #expect(problem(image) == nil)
    #expect(problem([]) == .database(.notADatabase, path: "it"))
    #expect(problem(Array("not a database".utf8)) == .database(.notADatabase, path: "it"))
    #expect(problem(Array(image.prefix(100))) != nil)
    let other = try DatabaseFixture("CREATE TABLE x (y)")
    #expect(problem(Array(other.bytes)) != nil)
    try fixture.execute("PRAGMA user_version=99")
    #expect(problem(Array(fixture.bytes)) == .database(.newerSchema(99), path: "it"))
    var broken = image
    for place in stride(from: 4096, to: broken.count, by: 3) { broken[place] = 0xff }
    let found = try? AccountDatabase.reading(image: broken, called: "it").check()
    #expect(found == nil || found?.contains { $0.kind == "damage" } == true)
  }
}
