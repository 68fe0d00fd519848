/// A list of users, or of aliases, to import, from CSV with a header line.
///
/// Columns in any order: `email`, and if wanted `password_hash`, `password`, `active`, `quota`; or `src` and `dst`. The separator is what the
/// header has: comma, semicolon or tab, or what a first line `sep=;` names, as some spreadsheets write it.
public struct AccountCSV {
  public enum Row: Sendable, Equatable {
    case user(UserRow)
    case alias(source: String, destination: String)
  }

  public struct UserRow: Sendable, Equatable {
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

  private let columns: [Column]
  private let separator: UInt8

  /// Reads all of it.
  ///
  /// - Parameter each: is told the line of a row, too.
  public static func read(
    _ source: ImportSource, _ each: (Row, _ line: Int) throws(AccountError) -> Void
  ) throws(AccountError) {
    var blocks = CSVBlocks(source)
    var csv: AccountCSV?
    while let (bytes, line) = try blocks.next() {
      let (separator, skipped) = csv.map { (separator: $0.separator, skipped: 0) } ?? Self.separator(bytes)
      var reader = CSVReader(Array(bytes[skipped...]), separator: separator, line: line + (skipped > 0 ? 1 : 0))
      var fields: [CSVField] = []
      do throws(CSVError) {
        if csv == nil {
          guard let headerLine = try reader.next(into: &fields) else { break }
          csv = try AccountCSV(header: fields, separator, line: headerLine)
        }
        while let csv, let line = try reader.next(into: &fields) {
          let row = try csv.row(fields, line: line)
          do throws(AccountError) { try each(row, line) } catch { throw CSVError(error, line: line) }
        }
      } catch {
        throw error.account ?? .invalid(error.description)
      }
    }
    if csv == nil { throw .invalid(CSVError(line: 1, reason: "there is no header line").description) }
  }

  private enum Column: String, CaseIterable {
    case email
    case passwordHash = "password_hash"
    case password
    case active
    case quota
    case source = "src"
    case destination = "dst"
  }

  /// The separator, and how many bytes of a line come before the header that only name it.
  private static func separator(_ bytes: [UInt8]) -> (separator: UInt8, skipped: Int) {
    let first = bytes.prefix { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") }
    if first.count == 5, first.starts(with: "sep=".utf8), let separator = first.last {
      let end = bytes.firstIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? bytes.count
      return (separator, end)
    }
    // Spreadsheets in countries with a decimal comma write semicolons.
    let candidates = [",", ";", "\t"].map { UInt8(ascii: $0) }
    return (candidates.first(where: first.contains) ?? candidates[0], 0)
  }

  private init(header fields: [CSVField], _ separator: UInt8, line: Int) throws(CSVError) {
    self.separator = separator
    var columns: [Column] = []
    for field in fields {
      let name = try Self.text(field.bytes, line: line)
      guard let column = Column(rawValue: String(decoding: field.bytes.trimmed.map(\.lowerCased), as: UTF8.self)) else {
        let known = Column.allCases.map(\.rawValue).joined(separator: ", ")
        throw CSVError(line: line, reason: "\(quoted(name)) is no column; known are \(known)")
      }
      guard !columns.contains(column) else {
        throw CSVError(line: line, reason: "the column \(column.rawValue) is there twice")
      }
      columns.append(column)
    }
    self.columns = columns
    let ofAliases: Set<Column> = [.source, .destination]
    guard ofAliases.isDisjoint(with: columns) || ofAliases == Set(columns) else {
      throw CSVError(line: line, reason: "a list of aliases has the columns src and dst, and no other")
    }
    guard columns.contains(.email) || columns.contains(.source) else {
      throw CSVError(line: line, reason: "there is no column email")
    }
  }

  private func row(_ fields: [CSVField], line: Int) throws(CSVError) -> Row {
    guard fields.count == columns.count else { throw CSVError(line: line, reason: wrongCount(fields)) }
    if columns.contains(.source) { return try alias(fields, line: line) }
    var row = UserRow(line: line, email: "")
    for (column, field) in zip(columns, fields) where !field.bytes.isEmpty {
      // Blanks beside a separator mean nothing, but in a password they may.
      let bytes = field.isQuoted ? field.bytes : field.bytes.trimmed
      switch column {
      case .email: row.email = try Self.text(bytes, line: line)
      case .passwordHash: if !bytes.isEmpty { row.passwordHash = try Self.text(bytes, line: line) }
      case .password:
        guard field.isQuoted || bytes.count == field.bytes.count else {
          throw CSVError(
            line: line,
            reason: "the password has a blank at its end or beginning; if that is meant, put it into double quotes")
        }
        row.password = Array(bytes)
      case .active: if !bytes.isEmpty { row.active = try Self.truth(bytes, line: line) }
      case .quota: if !bytes.isEmpty { row.quota = try Self.text(bytes, line: line) }
      case .source, .destination: break
      }
    }
    guard !row.email.isEmpty else { throw CSVError(line: line, reason: "email is empty") }
    guard row.passwordHash == nil || row.password == nil else {
      throw CSVError(line: line, reason: "there are both password_hash and password")
    }
    return .user(row)
  }

  private func alias(_ fields: [CSVField], line: Int) throws(CSVError) -> Row {
    var texts: [Column: String] = [:]
    for (column, field) in zip(columns, fields) {
      let text = try Self.text(field.isQuoted ? field.bytes : field.bytes.trimmed, line: line)
      guard !text.isEmpty else { throw CSVError(line: line, reason: "\(column.rawValue) is empty") }
      texts[column] = text
    }
    return .alias(source: texts[.source] ?? "", destination: texts[.destination] ?? "")
  }

  /// A common mistake: hashes of Argon2 have commas.
  private func wrongCount(_ fields: [CSVField]) -> String {
    let count = "there are \(fields.count) fields, but \(columns.count) columns"
    if fields.count > columns.count, fields.contains(where: { !$0.isQuoted && $0.bytes.contains(UInt8(ascii: "$")) }) {
      return count + "; a hash with commas in it must stand in double quotes"
    }
    if let other = [";", ",", "\t"].map({ UInt8(ascii: $0) }).first(where: { other in
      other != separator && fields.count == 1 && fields[0].bytes.contains(other)
    }) {
      let name = other == 0x09 ? "tabs" : "\"\(Unicode.Scalar(other))\""
      return count + "; the header is not separated by \(name), as this line seems to be"
    }
    return count
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
