import Linux

/// The tables of one of postfix's parameters, in the order in which they are asked.
struct LookupChain: Equatable {
  var parameter: String
  var tables: [String]
  /// Those of them that proxymap asks in postfix's stead.
  var proxied: Set<String> = []

  /// As postfix reads a list: by white space and commas, but not within braces.
  ///
  /// What has no type is a name or a file of names, and what does not name a file lies in the configuration itself or in the system's
  /// own files: neither can be asked for more than is known already.
  init(parameter: String, value: String) {
    self.parameter = parameter
    tables = []
    for word in Self.words(value) {
      var table = word
      while table.hasPrefix("proxy:") { table.removeFirst("proxy:".count) }
      if table != word { proxied.insert(table) }
      guard let colon = table.firstIndex(of: ":"), !table[..<colon].contains("/") else { continue }
      let name = table[table.index(after: colon)...]
      let isBraced = name.hasPrefix("{") && ["pipemap", "unionmap", "randmap"].contains(table[..<colon])
      if name.hasPrefix("/") || isBraced, !tables.contains(table) { tables.append(table) }
    }
  }

  static func words(_ value: String) -> [String] {
    var words: [String] = []
    var word = ""
    var depth = 0
    for character in value {
      if depth == 0, character == "," || character.isWhitespace {
        if !word.isEmpty { words.append(word) }
        word = ""
        continue
      }
      if character == "{" { depth += 1 }
      if character == "}", depth > 0 { depth -= 1 }
      word.append(character)
    }
    return word.isEmpty ? words : words + [word]
  }

  /// Files of SQLite tables, those within braces too.
  var sqliteFiles: [String] {
    tables.flatMap { table in
      table.split { "{},".contains($0) || $0.isWhitespace }.compactMap { part in
        var part = part
        for prefix in ["pipemap:", "unionmap:", "randmap:", "proxy:"] where part.hasPrefix(prefix) {
          part = part.dropFirst(prefix.count)
        }
        return part.hasPrefix("sqlite:/") ? String(part.dropFirst("sqlite:".count)) : nil
      }
    }
  }

  /// The databases of the SQLite tables that proxymap asks: it is the user postfix from the start, and who cannot read them has every
  /// session hang. `postmap`, which root runs, shows nothing of that.
  var filesOfProxymap: [String] {
    proxied.sorted().compactMap { table in
      guard table.hasPrefix("sqlite:/"), let text = readSmallText(String(table.dropFirst("sqlite:".count))) else {
        return nil
      }
      return Self.databasePath(in: text)
    }
  }

  /// What `dbpath` says in the settings of an SQLite table.
  static func databasePath(in text: String) -> String? {
    for line in text.split(separator: "\n") {
      let parts = line.split(separator: "=", maxSplits: 1).map { $0.filter { !$0.isWhitespace } }
      if parts.count == 2, parts[0] == "dbpath" { return String(parts[1]) }
    }
    return nil
  }

  /// Whether a table's server may be a service that is just being started.
  static func isServed(_ table: String) -> Bool {
    ["mysql:", "pgsql:", "ldap:", "mongodb:", "memcache:"].contains { table.contains($0) }
  }
}

/// Whether anybody looks accounts up in a file.
struct AccountFiles {
  let path: String
  private let real: String?
  var dovecot = "/etc/dovecot"

  init(_ path: String, dovecot: String = "/etc/dovecot") {
    self.path = path
    self.dovecot = dovecot
    real = resolvedPath(path)
  }

  /// Whether one of the SQLite tables reads that file; one whose settings cannot be read may.
  func isAsked(by chain: LookupChain) -> Bool {
    chain.sqliteFiles.contains { file in
      guard let text = readSmallText(file) else { return true }
      return LookupChain.databasePath(in: text).map(isSame) ?? false
    }
  }

  /// Whether dovecot's configuration has its path anywhere.
  var isDovecots: Bool { names(in: dovecot, depth: 0) }

  private func names(in directory: String, depth: Int) -> Bool {
    (listDirectory(directory) ?? []).prefix(200).contains { name in
      let file = "\(directory)/\(name)"
      if let text = readSmallText(file) { return text.contains(path) || (real.map { text.contains($0) } ?? false) }
      return depth < 2 && names(in: file, depth: depth + 1)
    }
  }

  private func isSame(_ other: String) -> Bool { other == path || real != nil && resolvedPath(other) == real }
}
