import JSON
import MailbootCore

// {"schema": 1, "domains": [{"name"}], "users": [{"email", "password", "active", "receives", "sends", "quota"}], "aliases": [{"src", "dst"}]}
extension AccountSet {
  static let format: Int64 = 1

  /// Reads what `json` writes. Only `email`, `name`, `src` and `dst` must be there; any other key is an error.
  public init(json bytes: [UInt8]) throws(AccountError) {
    let root: JSONText
    do throws(JSONSyntaxError) { root = try JSONText(strictly: bytes) } catch { throw .invalid(error.description) }
    guard root.members != nil else { throw .invalid("an import is a JSON object with domains, users and aliases") }
    let top = try Members(root, "the import", known: ["schema", "domains", "users", "aliases"])
    if let schema = try top.integer("schema"), schema != Self.format {
      throw .invalid("an export of format \(schema) is not known here, only \(Self.format)")
    }
    self.init()
    for (index, item) in try top.array("domains").enumerated() {
      domains.append(try Members(item, "domains[\(index)]", known: ["name", "id"]).text("name"))
    }
    let userKeys: Set = ["id", "email", "domain", "password", "active", "receives", "sends", "quota"]
    for (index, item) in try top.array("users").enumerated() {
      users.append(try User(Members(item, "users[\(index)]", known: userKeys)))
    }
    for (index, item) in try top.array("aliases").enumerated() {
      let members = try Members(item, "aliases[\(index)]", known: ["id", "src", "dst"])
      aliases.append(Alias(source: try members.text("src"), destination: try members.text("dst")))
    }
  }

  /// Writes all of it, a record a line, in pieces.
  public func json(_ emit: (String) -> Void) {
    emit("{\n  \"schema\": \(Self.format),\n")
    Self.list("domains", domains.map { [("name", .string($0))] }, emit, last: false)
    Self.list("users", users.map(\.members), emit, last: false)
    Self.list(
      "aliases", aliases.map { [("src", .string($0.source)), ("dst", .string($0.destination))] }, emit, last: true)
    emit("}\n")
  }

  private static func list(
    _ name: String, _ records: [[(String, JSONText)]], _ emit: (String) -> Void, last: Bool
  ) {
    emit("  \"\(name)\": [")
    for (index, members) in records.enumerated() {
      emit((index == 0 ? "\n    " : ",\n    ") + JSONText.object(members).line())
    }
    emit((records.isEmpty ? "]" : "\n  ]") + (last ? "\n" : ",\n"))
  }
}

extension AccountSet.User {
  fileprivate init(_ members: Members) throws(AccountError) {
    self.init(
      email: try members.text("email"), passwordHash: try members.optionalText("password"),
      isActive: try members.flag("active"),
      limits: LimitsChange(
        receives: try members.flag("receives"), sends: try members.flag("sends"), quota: try members.quota("quota")))
  }

  fileprivate var members: [(String, JSONText)] {
    var members: [(String, JSONText)] = [("email", .string(email))]
    if let passwordHash { members.append(("password", .string(passwordHash))) }
    if let isActive { members.append(("active", .bool(isActive))) }
    if let receives = limits.receives { members.append(("receives", .bool(receives))) }
    if let sends = limits.sends { members.append(("sends", .bool(sends))) }
    if let quota = limits.quota { members.append(("quota", quota.map(JSONText.integer) ?? .null)) }
    return members
  }
}

/// A JSON object whose keys are known, and where it stands, for the errors.
private struct Members {
  private let members: [(String, JSONText)]
  private let place: String

  init(_ value: JSONText, _ place: String, known: Set<String>) throws(AccountError) {
    guard let members = value.members else { throw .invalid("\(place) is no object") }
    var seen: Set<String> = []
    for (key, _) in members {
      guard known.contains(key) else { throw .invalid("\(place) has an unknown key \"\(key)\"") }
      // Of two lists one would be lost, and `--prune` would then remove what it had.
      guard seen.insert(key).inserted else { throw .invalid("\(place) has the key \"\(key)\" twice") }
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

  func integer(_ key: String) throws(AccountError) -> Int64? {
    switch self[key] {
    case nil, .null: return nil
    case .integer(let number): return number
    default: throw .invalid("\(place).\(key) is no whole number")
    }
  }

  /// Bytes; `null` takes the quota away, no such key leaves it.
  func quota(_ key: String) throws(AccountError) -> Int64?? {
    guard self[key] != nil else { return nil }
    guard let quota = try integer(key) else { return .some(nil) }
    guard quota > 0 else { throw .invalid("\(place).\(key) is not a number of bytes above 0") }
    return .some(quota)
  }

  func array(_ key: String) throws(AccountError) -> [JSONText] {
    switch self[key] {
    case nil, .null: return []
    case .array(let items): return items
    default: throw .invalid("\(place).\(key) is no list")
    }
  }
}
