import MailbootCore
import SQLite
import Text

/// The account database's schema as far as postfix, dovecot and we rely on it. More columns, tables and indexes are fine.
enum DatabaseSchema {
  struct Table {
    var name: String
    /// What postfix and dovecot ask for.
    var columns: [String]
    /// What only we need.
    var ours: [String]
    /// Column sets that must be unique, by any unique index.
    var unique: [[String]]
    /// True when `domain_id` must refer to `domains`: removing a domain relies on it.
    var belongsToDomain: Bool
  }

  static let tables = [
    Table(name: "domains", columns: ["name"], ours: ["id"], unique: [["name"]], belongsToDomain: false),
    Table(
      name: "users", columns: ["password", "email", "active"], ours: ["id", "domain_id"], unique: [["email"]],
      belongsToDomain: true),
    Table(
      name: "aliases", columns: ["src", "dst"], ours: ["id", "domain_id"], unique: [["src", "dst"]],
      belongsToDomain: true),
  ]

  /// What the open database lacks.
  static func problems(in database: borrowing SQLiteConnection, path: String) throws(SQLiteFailure) -> [Problem] {
    let there = Set(try database.column("SELECT lower(name) FROM sqlite_master WHERE type='table'"))
    let missing = tables.filter { !there.contains($0.name) }
    // A database without them is another one: what else its tables lack would only distract.
    guard missing.isEmpty else {
      return missing.map {
        Problem(
          .databaseSchema, "table \($0.name) is missing",
          hint: "is this the account database? look at it: sqlite3 \(shellWord(path)) .schema")
      }
    }
    var problems: [Problem] = []
    for table in tables {
      problems += try self.problems(of: table, in: database, path: path)
    }
    return problems
  }

  private static func problems(
    of table: Table, in database: borrowing SQLiteConnection, path: String
  ) throws(SQLiteFailure) -> [Problem] {
    let columns = try columns(of: table.name, in: database)
    let missing = (table.columns + table.ours).filter { !columns.contains($0) }
    guard missing.isEmpty else {
      return missing.map {
        Problem(
          table.columns.contains($0) ? .databaseSchema : .databaseLoose, "column \(table.name).\($0) is missing",
          hint: "is this the account database? look at it: sqlite3 \(shellWord(path)) .schema")
      }
    }
    var problems: [Problem] = []
    let uniqueSets = try uniqueColumnSets(of: table.name, in: database)
    for columns in table.unique where !uniqueSets.contains(Set(columns)) {
      let list = columns.joined(separator: ",")
      let index = "CREATE UNIQUE INDEX \(table.name)_\(columns.joined(separator: "_"))_unique ON \(table.name)(\(list))"
      problems.append(
        Problem(
          .databaseLoose, "\(table.name)(\(list)) has no unique index",
          hint: "sqlite3 \(shellWord(path)) \(shellWord(index))"))
    }
    if table.belongsToDomain {
      let referenced = try database.column(
        "SELECT lower(\"table\") FROM pragma_foreign_key_list('\(table.name)') WHERE lower(\"from\")='domain_id'")
      if !referenced.contains("domains") {
        problems.append(
          Problem(
            .databaseLoose, "\(table.name).domain_id does not refer to domains",
            hint: "is this the account database? look at it: sqlite3 \(shellWord(path)) .schema"))
      }
    }
    return problems
  }

  static func columns(
    of table: String, in database: borrowing SQLiteConnection
  ) throws(SQLiteFailure) -> Set<String> {
    Set(try database.column("SELECT lower(name) FROM pragma_table_info('\(table)')"))
  }

  /// Column sets of the table's complete (not partial) unique indexes.
  private static func uniqueColumnSets(
    of table: String, in database: borrowing SQLiteConnection
  ) throws(SQLiteFailure) -> Set<Set<String>> {
    let rows = try database.rows(
      """
      SELECT list.name, lower(info.name) FROM pragma_index_list('\(table)') AS list, pragma_index_info(list.name) AS info
      WHERE list."unique"=1 AND list.partial=0
      """)
    var columns: [String: Set<String>] = [:]
    for row in rows {
      guard let index = row[0] else { continue }
      // An index on an expression has a column without a name: it guarantees nothing about the column alone.
      columns[index, default: []].insert(row[1] ?? "(expression)")
    }
    return Set(columns.values)
  }
}
