import CLinux
import CSQLite
import Foundation
import HostChecks
import MailbootCore
import TestSupport

struct SQLError: Error { var message: String }

/// A writing connection for building test databases and for holding locks.
final class SQLiteWriter {
  let handle: OpaquePointer

  init(_ path: String) throws {
    var handle: OpaquePointer?
    guard sqlite3_open(path, &handle) == SQLITE_OK, let handle else { throw SQLError(message: "cannot open \(path)") }
    self.handle = handle
  }

  func run(_ sql: String) throws {
    guard sqlite3_exec(handle, sql, nil, nil, nil) == SQLITE_OK else {
      throw SQLError(message: String(cString: sqlite3_errmsg(handle)))
    }
  }

  deinit { sqlite3_close(handle) }
}

/// The account database of a mail host, in a directory of its own.
struct DatabaseFixture {
  let directory: TemporaryDirectory
  var path: String { directory.file("maildb.sqlite3") }
  /// Any group that exists and is not root's plays the mail group.
  let group = "nogroup"

  static let domains = "CREATE TABLE domains(id INTEGER PRIMARY KEY, name TEXT NOT NULL);"
  static let domainsIndex = "CREATE UNIQUE INDEX name_idx ON domains(name);"
  static let users = """
    CREATE TABLE users(id INTEGER PRIMARY KEY, domain_id INTEGER NOT NULL, password TEXT NOT NULL,
      email TEXT NOT NULL UNIQUE, active INTEGER DEFAULT 1,
      FOREIGN KEY(domain_id) REFERENCES domains(id) ON DELETE CASCADE);
    CREATE UNIQUE INDEX email_idx ON users(email);
    """
  static let aliases = """
    CREATE TABLE aliases(id INTEGER PRIMARY KEY, domain_id INTEGER NOT NULL, src TEXT NOT NULL, dst TEXT NOT NULL,
      UNIQUE(src, dst), FOREIGN KEY(domain_id) REFERENCES domains(id) ON DELETE CASCADE);
    CREATE INDEX source_idx ON aliases(src);
    """
  static let schema = domains + domainsIndex + users + aliases
  static let rows = """
    INSERT INTO domains(name) VALUES ('example.org'), ('example.net');
    INSERT INTO users(domain_id, password, email, active) VALUES
      (1, '{SHA512-CRYPT}$6$x$y', 'gone@example.org', 0), (1, '{SHA512-CRYPT}$6$x$y', 'ann@example.org', 1);
    INSERT INTO aliases(domain_id, src, dst) VALUES (1, '@example.org', 'ann@example.org');
    INSERT INTO aliases(domain_id, src, dst) VALUES (1, 'post@example.org', 'ann@example.org');
    """

  init(sql: String = schema + rows) throws {
    directory = try TemporaryDirectory()
    try SQLiteWriter(path).run(sql)
    try giveToMailGroup()
  }

  func giveToMailGroup() throws {
    guard let entry = getgrnam(group), chown(path, 0, entry.pointee.gr_gid) == 0, chmod(path, 0o640) == 0 else {
      throw CocoaError(.fileWriteNoPermission)
    }
  }

  func change(_ sql: String) throws { try SQLiteWriter(path).run(sql) }

  func check() -> DatabaseReply {
    checkDatabase(DatabaseRequest(path: path, owner: "root", group: group))
  }
}
