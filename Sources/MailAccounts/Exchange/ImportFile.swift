import JSON

/// The form that `export` writes.
public enum ImportFile {
  static let format: Int64 = 1

  public enum List: String, CaseIterable, Sendable {
    case domains, users, aliases
  }

  /// Reads it. Only `email`, `name`, `src` and `dst` must be there; any other key is an error.
  ///
  /// - Returns: the lists that were there, if only empty ones.
  public static func read(
    json source: ImportSource, _ each: (ImportRow) throws(AccountError) -> Void
  ) throws(AccountError) -> Set<List> {
    var pieces = JSONPieces(source)
    guard try pieces.take("{") else {
      // Said of what is no JSON at all, it would mislead.
      _ = try pieces.value()
      throw .invalid("an import is a JSON object with domains, users and aliases")
    }
    var seen: Set<String> = []
    var lists: Set<List> = []
    if try !pieces.take("}") {
      repeat {
        guard case .string(let key) = try pieces.value() else { throw .invalid("a key of the import is no text") }
        try pieces.require(":")
        // Of two lists one would be lost, and `--prune` would then remove what it had.
        guard seen.insert(key).inserted else { throw .invalid("the import has the key \"\(key)\" twice") }
        if let list = List(rawValue: key) {
          if try readList(list, &pieces, each) { lists.insert(list) }
        } else if key == "schema" {
          try checkFormat(try pieces.value())
        } else {
          throw .invalid("the import has an unknown key \(quoted(key))")
        }
      } while try pieces.take(",")
      try pieces.require("}")
    }
    try pieces.requireEnd()
    return lists
  }

  private static func checkFormat(_ value: JSONText) throws(AccountError) {
    switch value {
    case .integer(format), .null: break
    case .integer(let other): throw .invalid("an export of format \(other) is not known here, only \(format)")
    default: throw .invalid("the import.schema is no whole number")
    }
  }

  /// - Returns: false for `null`.
  private static func readList(
    _ list: List, _ pieces: inout JSONPieces, _ each: (ImportRow) throws(AccountError) -> Void
  ) throws(AccountError) -> Bool {
    guard try pieces.take("[") else {
      guard try pieces.value() == .null else { throw .invalid("the import.\(list.rawValue) is no list") }
      return false
    }
    if try pieces.take("]") { return true }
    var index = 0
    repeat {
      let place = "\(list.rawValue)[\(index)]"
      try each(try row(list, try pieces.value(), place))
      index += 1
    } while try pieces.take(",")
    try pieces.require("]")
    return true
  }

  private static func row(_ list: List, _ value: JSONText, _ place: String) throws(AccountError) -> ImportRow {
    switch list {
    case .domains:
      let members = try Members(value, place, known: ["name", "id", "as_stored"])
      return .domain(try members.text("name"), kept: try members.flag("as_stored") ?? false)
    case .users:
      let known: Set = ["id", "email", "domain", "password", "active", "receives", "sends", "quota", "as_stored"]
      let members = try Members(value, place, known: known)
      let isKept = try members.flag("as_stored") ?? false
      let limits = LimitsChange(
        receives: try members.flag("receives"), sends: try members.flag("sends"),
        quota: try members.quota("quota", isKept: isKept))
      return .user(
        ImportedUser(
          email: try members.text("email"), passwordHash: try members.optionalText("password"),
          isActive: try members.flag("active"), limits: limits, isKept: isKept))
    case .aliases:
      let members = try Members(value, place, known: ["id", "src", "dst", "as_stored"])
      return .alias(
        ImportedAlias(
          source: try members.text("src"), destination: try members.text("dst"),
          isKept: try members.flag("as_stored") ?? false))
    }
  }
}

/// A JSON object whose keys are known, and where it stands, for the errors.
private struct Members {
  private let members: [(String, JSONText)]
  private let place: String

  init(_ value: JSONText, _ place: String, known: Set<String>) throws(AccountError) {
    guard let members = value.members else { throw .invalid("\(place) is no object") }
    for (index, (key, _)) in members.enumerated() {
      guard known.contains(key) else { throw .invalid("\(place) has an unknown key \(quoted(key))") }
      guard !members[..<index].contains(where: { $0.0 == key }) else {
        throw .invalid("\(place) has the key \(quoted(key)) twice")
      }
    }
    self.members = members
    self.place = place
  }

  private subscript(_ key: String) -> JSONText? {
    for (name, value) in members where name == key { return value }
    return nil
  }

  func text(_ key: String) throws(AccountError) -> String {
    guard let text = try optionalText(key) else { throw .invalid("\(place) has no \"\(key)\"") }
    return text
  }

  func optionalText(_ key: String) throws(AccountError) -> String? {
    switch self[key] {
    case nil, .null: return nil
    case .string(let text): return text
    default: throw .invalid("\(place).\(key) is no text")
    }
  }

  /// `true` and `false`, or 1 and 0 as in the table.
  func flag(_ key: String) throws(AccountError) -> Bool? {
    switch self[key] {
    case nil, .null: return nil
    case .bool(let flag): return flag
    case .integer(0): return false
    case .integer(1): return true
    default: throw .invalid("\(place).\(key) is neither true nor false")
    }
  }

  /// Bytes; `null` takes the quota away, no such key leaves it.
  func quota(_ key: String, isKept: Bool) throws(AccountError) -> Int64?? {
    switch self[key] {
    case nil: return nil
    case .null: return .some(nil)
    case .integer(let quota):
      guard quota > 0 || isKept else { throw .invalid("\(place).\(key) is not a number of bytes above 0") }
      return .some(quota)
    default: throw .invalid("\(place).\(key) is no whole number")
    }
  }
}
