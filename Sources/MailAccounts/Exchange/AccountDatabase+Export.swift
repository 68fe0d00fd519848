import JSON
import SQLite

// {"schema": 1, "domains": [{"name"}], "users": [{"email", "password", "active", "receives", "sends", "quota"}],
//  "aliases": [{"src", "dst"}]}, and "as_stored": true in a row that an import would otherwise refuse or change.
extension AccountDatabase {
  /// Writes everything, as it is at one moment, a record a line.
  ///
  /// - Parameters:
  ///   - begin: what was emitted before counts no longer.
  ///   - emit: takes the text in pieces.
  public func export(
    withPasswords: Bool, begin: () -> Void, _ emit: @escaping (String) -> Void
  ) throws(AccountError) {
    try whileUnchanged { (database) throws(AccountError) in
      begin()
      try database.write(withPasswords, emit)
      return true
    }
  }

  private func write(_ withPasswords: Bool, _ emit: @escaping (String) -> Void) throws(AccountError) {
    emit("{\n  \"schema\": \(ImportFile.format),\n")
    var domains: Set<String> = []
    var list = RecordList("domains", emit)
    try self.domains {
      domains.insert($0.name)
      list.add([("name", .string($0.name))], isPlain: (try? DomainName($0.name))?.text == $0.name)
    }
    list.end(isLast: false)
    let limits = try explained { () throws(SQLiteFailure) in try LimitColumns(connection) }
    list = RecordList("users", emit)
    try storedPasswords { user, hash in
      var members: [(String, JSONText)] = [("email", .string(user.email))]
      if withPasswords { members.append(("password", .string(hash))) }
      members.append(("active", .bool(user.isActive)))
      if limits.receives { members.append(("receives", .bool(user.limits.receives))) }
      if limits.sends { members.append(("sends", .bool(user.limits.sends))) }
      if limits.quota { members.append(("quota", user.limits.quota.map(JSONText.integer) ?? .null)) }
      let isPlain =
        (try? EmailAddress(user.email))?.text == user.email && domains.contains(domainPart(user.email))
        && (user.limits.quota ?? 1) > 0 && (!withPasswords || problem(ofHash: hash) == nil)
      list.add(members, isPlain: isPlain)
    }
    list.end(isLast: false)
    list = RecordList("aliases", emit)
    try aliases {
      let source = try? AliasSource($0.source)
      let isPlain =
        source?.text == $0.source && domains.contains(domainPart($0.source))
        && (try? AliasDestinations($0.destination, of: source))?.addresses.map(\.text) == [$0.destination]
      list.add([("src", .string($0.source)), ("dst", .string($0.destination))], isPlain: isPlain)
    }
    list.end(isLast: true)
    emit("}\n")
  }
}

private struct RecordList {
  private let emit: (String) -> Void
  private var isEmpty = true

  init(_ name: String, _ emit: @escaping (String) -> Void) {
    self.emit = emit
    emit("  \"\(name)\": [")
  }

  mutating func add(_ members: [(String, JSONText)], isPlain: Bool) {
    let mark: [(String, JSONText)] = isPlain ? [] : [("as_stored", .bool(true))]
    emit((isEmpty ? "\n    " : ",\n    ") + JSONText.object(members + mark).line())
    isEmpty = false
  }

  func end(isLast: Bool) { emit((isEmpty ? "]" : "\n  ]") + (isLast ? "\n" : ",\n")) }
}

/// Why a text is not to be stored as a password that came from elsewhere; nil when it may.
func problem(ofHash hash: String) -> String? {
  if StoredHash(hash).strength == .unreadable { return "it has a password that dovecot could not read" }
  // What crypt(3) takes for an ancient hash of 13 letters may be the password itself, in the wrong field.
  guard hash.isEmpty || "{$!*".contains(hash.first ?? "{") else {
    return "it has a password that is no hash: one begins with {SCHEME} or $"
  }
  return nil
}
