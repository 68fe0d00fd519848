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

  /// From version 0: columns with defaults, so that every statement that does not know them goes on working.
  static let limits = """
    ALTER TABLE users ADD COLUMN receives INTEGER NOT NULL DEFAULT 1;
    ALTER TABLE users ADD COLUMN sends INTEGER NOT NULL DEFAULT 1;
    ALTER TABLE users ADD COLUMN quota INTEGER;
    PRAGMA user_version = 1;
    """

  private static let columns = [
    ("domains", ["id", "name"]), ("users", ["id", "domain_id", "password", "email", "active"]),
    ("aliases", ["id", "domain_id", "src", "dst"]),
  ]

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
