/// A list of users to import, from CSV with a header line.
///
/// Columns in any order: `email`, `password_hash` or `password` or both, and if wanted `active` and `quota`. The separator is the
/// comma, or the semicolon if the header has only that. Each row has either a hash or a password.
public struct UserCSV: Sendable {
  public struct Row: Sendable, Equatable {
    /// Where it begins; the header is line 1.
    public var line: Int
    /// As given: not checked here.
    public var email: String
    /// As given: not checked here.
    public var passwordHash: String?
    /// A secret, to be hashed: whoever takes the rows wipes it.
    public var password: [UInt8]?
    /// Nil: not said.
    public var active: Bool?
    /// Nil: not said.
    public var quota: String?
  }

  public var rows: [Row]

  public init(_ bytes: [UInt8]) throws(CSVError) {
    var reader = CSVReader(bytes)
    var fields: [ArraySlice<UInt8>] = []
    guard let headerLine = try reader.next(into: &fields) else {
      throw CSVError(line: 1, reason: "there is no header line")
    }
    let columns = try Self.columns(fields, line: headerLine)
    rows = []
    while let line = try reader.next(into: &fields) {
      guard fields.count == columns.count else {
        throw CSVError(line: line, reason: "there are \(fields.count) fields, but \(columns.count) columns")
      }
      rows.append(try Self.row(fields, columns, line: line))
    }
  }

  private enum Column: String, CaseIterable {
    case email
    case passwordHash = "password_hash"
    case password
    case active
    case quota
  }

  private static func columns(_ fields: [ArraySlice<UInt8>], line: Int) throws(CSVError) -> [Column] {
    var columns: [Column] = []
    for field in fields {
      let name = try text(field, line: line)
      guard let column = Column(rawValue: String(decoding: field.trimmed.map(\.lowerCased), as: UTF8.self)) else {
        let known = Column.allCases.map(\.rawValue).joined(separator: ", ")
        throw CSVError(line: line, reason: "\(quoted(name)) is no column; known are \(known)")
      }
      guard !columns.contains(column) else {
        throw CSVError(line: line, reason: "the column \(column.rawValue) is there twice")
      }
      columns.append(column)
    }
    guard columns.contains(.email) else { throw CSVError(line: line, reason: "there is no column email") }
    guard columns.contains(.password) || columns.contains(.passwordHash) else {
      throw CSVError(line: line, reason: "there is no column password_hash and no column password")
    }
    return columns
  }

  private static func row(_ fields: [ArraySlice<UInt8>], _ columns: [Column], line: Int) throws(CSVError) -> Row {
    var row = Row(line: line, email: "")
    for (column, field) in zip(columns, fields) where !field.isEmpty {
      switch column {
      case .email: row.email = try text(field, line: line)
      case .passwordHash: row.passwordHash = try text(field, line: line)
      case .password: row.password = Array(field)
      case .active: row.active = try truth(field, line: line)
      case .quota: row.quota = try text(field, line: line)
      }
    }
    guard !row.email.isEmpty else { throw CSVError(line: line, reason: "email is empty") }
    guard (row.passwordHash == nil) != (row.password == nil) else {
      let reason = row.password == nil ? "there is no password" : "there are both password_hash and password"
      throw CSVError(line: line, reason: reason)
    }
    return row
  }

  private static func truth(_ field: ArraySlice<UInt8>, line: Int) throws(CSVError) -> Bool {
    switch String(decoding: field.trimmed.map(\.lowerCased), as: UTF8.self) {
    case "1", "yes", "true": return true
    case "0", "no", "false": return false
    default:
      let given = try text(field, line: line)
      throw CSVError(line: line, reason: "active is \(quoted(given)), none of 1, 0, yes, no, true, false")
    }
  }

  private static func text(_ field: ArraySlice<UInt8>, line: Int) throws(CSVError) -> String {
    guard let text = String(validating: field, as: UTF8.self) else {
      throw CSVError(line: line, reason: "there is text that is not UTF-8")
    }
    return text
  }
}
