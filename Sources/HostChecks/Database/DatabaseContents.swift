import MailbootCore
import SQLite
import Text

/// What was read from the database.
struct DatabaseContents {
  var problems: [Problem] = []
  var domains: [String] = []
  /// Of each some, to ask postfix's tables for.
  var users: [String] = []
  var aliases: [String] = []
  var summary = ""

  /// Of the first rows and of the last ones so many: what one script has stored in its own way is seldom both.
  private static let samples = 4

  init() {}

  init(reading database: borrowing SQLiteConnection, path: String) throws(SQLiteFailure) {
    try database.distrustContents()
    // One transaction: all answers are about the same contents.
    _ = try database.rows("BEGIN")
    let integrity = try database.column("PRAGMA integrity_check(1)")
    if integrity != ["ok"] {
      problems.append(.damaged(path, integrity.first ?? "no answer"))
    }
    problems += try DatabaseSchema.problems(in: database, path: path)
    guard !problems.contains(where: { $0.kind.grade == .fatal }) else { return }
    problems += try danglingRows(in: database, path: path)
    domains = try database.column("SELECT name FROM domains ORDER BY name")
    // As postfix asks: only active users are found.
    users = try samples("email", "FROM users WHERE active=1", in: database)
    let only = try DatabaseSchema.columns(of: "aliases", in: database).contains("active") ? " AND active=1" : ""
    // A catch-all is no address to ask for as long as there is another.
    aliases = try samples("src", "FROM aliases WHERE src NOT LIKE '@%'\(only)", in: database)
    if aliases.isEmpty { aliases = try samples("src", "FROM aliases WHERE true\(only)", in: database) }
    let userCount = try count("users", in: database)
    let aliasCount = try count("aliases", in: database)
    summary = [
      counted(domains.count, "domain"), counted(userCount, "user"), counted(aliasCount, "alias", plural: "aliases"),
    ].joined(separator: ", ")
  }

  private func count(_ table: String, in database: borrowing SQLiteConnection) throws(SQLiteFailure) -> Int {
    try database.column("SELECT count(*) FROM \(table)").first.flatMap { Int($0) } ?? 0
  }

  private func samples(
    _ column: String, _ rows: String, in database: borrowing SQLiteConnection
  ) throws(SQLiteFailure) -> [String] {
    let first = try database.column("SELECT \(column) \(rows) ORDER BY rowid LIMIT \(Self.samples)")
    let last = try database.column("SELECT \(column) \(rows) ORDER BY rowid DESC LIMIT \(Self.samples)")
    return first + last.filter { !first.contains($0) }
  }

  private func danglingRows(
    in database: borrowing SQLiteConnection, path: String
  ) throws(SQLiteFailure) -> [Problem] {
    let rows = try database.rows("PRAGMA foreign_key_check")
    guard let first = rows.first, first.count >= 3 else { return [] }
    let row = "row \(first[1] ?? "?") of \(first[0] ?? "?") refers to no row of \(first[2] ?? "?")"
    let more = rows.count > 1 ? " (and \(rows.count - 1) more such)" : ""
    return [
      Problem(
        .databaseOrphans, row + more, hint: "list them: sqlite3 \(shellWord(path)) 'PRAGMA foreign_key_check'")
    ]
  }
}
