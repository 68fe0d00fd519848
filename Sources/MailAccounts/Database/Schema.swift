import SQLite

/// The tables, as postfix's and dovecot's queries and older programs know them.
enum Schema {
  /// The newest `user_version` this program knows. Older databases are used as they are: 0 has no limits.
  static let version: Int64 = 1

  static let creation = """
    CREATE TABLE domains (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
    CREATE UNIQUE INDEX name_idx ON domains(name);
    CREATE TABLE users (
      id INTEGER PRIMARY KEY,
      domain_id INTEGER NOT NULL REFERENCES domains(id) ON DELETE CASCADE,
      password TEXT NOT NULL,
      email TEXT NOT NULL UNIQUE,
      active INTEGER DEFAULT 1
    );
    CREATE UNIQUE INDEX email_idx ON users(email);
    CREATE TABLE aliases (
      id INTEGER PRIMARY KEY,
      domain_id INTEGER NOT NULL REFERENCES domains(id) ON DELETE CASCADE,
      src TEXT NOT NULL,
      dst TEXT NOT NULL,
      UNIQUE (src, dst)
    );
    CREATE INDEX source_idx ON aliases(src);
    """

  /// From version 0: columns with defaults, so that every statement that does not know them goes on working. One that is there already,
  /// an administrator's own, is used as it is.
  static func addLimits(to connection: borrowing SQLiteConnection) throws(SQLiteFailure) {
    let there = try LimitColumns(connection)
    if !there.receives { try connection.execute("ALTER TABLE users ADD COLUMN receives INTEGER NOT NULL DEFAULT 1") }
    if !there.sends { try connection.execute("ALTER TABLE users ADD COLUMN sends INTEGER NOT NULL DEFAULT 1") }
    if !there.quota { try connection.execute("ALTER TABLE users ADD COLUMN quota INTEGER") }
    try connection.execute("PRAGMA user_version = 1")
  }

  private static let columns = [
    ("domains", ["id", "name"]), ("users", ["id", "domain_id", "password", "email", "active"]),
    ("aliases", ["id", "domain_id", "src", "dst"]),
  ]

  /// Something that is no table and no index, named; nil: there is nothing else. A view or a virtual table may stand for one of our tables,
  /// a trigger runs with each change.
  static func foreignDefinition(in connection: borrowing SQLiteConnection) throws(SQLiteFailure) -> String? {
    // By their statements, which is what SQLite goes by; it writes them all in this form.
    try connection.column(
      """
      SELECT 'the ' || type || ' ' || name FROM sqlite_master WHERE sql IS NOT NULL AND sql NOT GLOB 'CREATE TABLE *'
        AND sql NOT GLOB 'CREATE INDEX *' AND sql NOT GLOB 'CREATE UNIQUE INDEX *' LIMIT 1
      """
    ).first
  }

  /// Which of the tables and columns that we need are missing. For the explanation after a statement failed, as asking takes time.
  static func missing(in connection: borrowing SQLiteConnection) throws(SQLiteFailure) -> [String] {
    var missing: [String] = []
    for (table, columns) in columns {
      let there = try connection.column("SELECT lower(name) FROM pragma_table_info('\(table)')")
      if there.isEmpty {
        missing.append("table \(table)")
      } else {
        missing += columns.filter { !there.contains($0) }.map { "column \(table).\($0)" }
      }
    }
    return missing
  }
}

/// Which columns for limits the table `users` has.
struct LimitColumns: Equatable {
  var receives: Bool
  var sends: Bool
  var quota: Bool

  var areAll: Bool { receives && sends && quota }

  init(_ connection: borrowing SQLiteConnection) throws(SQLiteFailure) {
    let names = try connection.column("SELECT lower(name) FROM pragma_table_info('users')")
    receives = names.contains("receives")
    sends = names.contains("sends")
    quota = names.contains("quota")
  }

  /// Their values in a query; a limit without a column is none.
  var selection: String { "\(receives ? "receives" : "1"), \(sends ? "sends" : "1"), \(quota ? "quota" : "NULL")" }
}
