import CSQLite

/// A value for a parameter of a statement.
public enum SQLiteValue: Sendable {
  case null
  case integer(Int64)
  case text(String)
  /// Exactly what a column had.
  case copy(SQLiteCopy)

  public static func optional(_ number: Int64?) -> SQLiteValue { number.map(SQLiteValue.integer) ?? .null }
  public static func optional(_ text: String?) -> SQLiteValue { text.map(SQLiteValue.text) ?? .null }
}

/// A value of a row, whatever its type and bytes, that outlives the row.
public final class SQLiteCopy: @unchecked Sendable {
  // @unchecked: it is never changed.
  fileprivate let value: OpaquePointer?

  fileprivate init(_ value: OpaquePointer?) { self.value = sqlite3_value_dup(value) }

  deinit { sqlite3_value_free(value) }
}

/// A prepared statement.
public struct SQLiteStatement: ~Copyable {
  private let handle: OpaquePointer
  private let connection: OpaquePointer

  init(handle: OpaquePointer, connection: OpaquePointer) {
    self.handle = handle
    self.connection = connection
  }

  deinit {
    sqlite3_finalize(handle)
  }

  /// Starts it anew with these values for its parameters, in order.
  public func bind(_ values: [SQLiteValue]) throws(SQLiteFailure) {
    sqlite3_reset(handle)
    for (index, value) in values.enumerated() {
      let position = Int32(index + 1)
      let code =
        switch value {
        case .null: sqlite3_bind_null(handle, position)
        case .integer(let number): sqlite3_bind_int64(handle, position, number)
        case .text(let text):
          // -1 as the destructor (SQLITE_TRANSIENT, a cast macro): SQLite copies.
          sqlite3_bind_text(
            handle, position, text, Int32(text.utf8.count), unsafeBitCast(-1, to: sqlite3_destructor_type.self))
        case .copy(let copy): sqlite3_bind_value(handle, position, copy.value)
        }
      guard code == SQLITE_OK else { throw failure() }
    }
  }

  /// True when there is a row to be read; false at the end, after which it may be bound and stepped again.
  public func step() throws(SQLiteFailure) -> Bool {
    // A statement that has begun has its lock: only the first step can fail so.
    switch lookingTwice({ sqlite3_step(handle) }, before: { sqlite3_reset(handle) }) {
    case SQLITE_ROW: return true
    case SQLITE_DONE:
      sqlite3_reset(handle)
      return false
    default:
      let failure = failure()
      sqlite3_reset(handle)
      throw failure
    }
  }

  /// Binds, and runs to the end.
  public func run(_ values: [SQLiteValue]) throws(SQLiteFailure) {
    try bind(values)
    while try step() {}
  }

  public var columnCount: Int32 { sqlite3_column_count(handle) }

  /// The column of the current row as text; nil for NULL. Bytes that are no UTF-8 are replaced.
  public func text(_ column: Int32) -> String? {
    sqlite3_column_text(handle, column).map {
      String(decoding: UnsafeBufferPointer(start: $0, count: Int(sqlite3_column_bytes(handle, column))), as: UTF8.self)
    }
  }

  /// The column of the current row as a number; nil for NULL.
  public func integer(_ column: Int32) -> Int64? {
    sqlite3_column_type(handle, column) == SQLITE_NULL ? nil : sqlite3_column_int64(handle, column)
  }

  /// The column of the current row, to be bound again.
  public func copy(_ column: Int32) -> SQLiteCopy { SQLiteCopy(sqlite3_column_value(handle, column)) }

  private func failure() -> SQLiteFailure {
    SQLiteFailure(code: sqlite3_extended_errcode(connection), message: String(cString: sqlite3_errmsg(connection)))
  }
}
