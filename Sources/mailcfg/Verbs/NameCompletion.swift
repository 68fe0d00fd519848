import ArgumentParser
import MailAccounts

// What the shells complete names from: the database of the call. Whoever presses TAB wants no error, so there is none.
extension CompletionKind {
  static let domains = custom { words, _, typed in names(.domains, typed, words) }

  static let users = custom { words, _, typed in names(.users, typed, words) }

  static let aliasSources = custom { words, _, typed in names(.aliasSources, typed, words) }

  /// The domain of a new address, once there is an `@`.
  static let newUser = custom { words, _, typed in
    guard let at = typed.firstIndex(of: "@") else { return [] }
    return names(.domains, String(typed[typed.index(after: at)...]), words).map { typed[...at] + $0 }
  }
}

/// Nobody reads through more of them; and a shell is not to wait.
private let mostNames = 200

/// - Parameter words: the line so far, the program first.
private func names(_ kind: AccountDatabase.NameKind, _ typed: String, _ words: [String]) -> [String] {
  var host = Host(DatabaseOptions(of: words))
  guard let database = try? host.database(.look) else { return [] }
  return (try? database.names(kind, startingWith: typed, limit: mostNames, isWanted: isPlain)) ?? []
}

/// Whether no shell sees anything in a name but its characters. Whoever may write the database is not to have root's shell run what
/// it says: the completion scripts hand names to the shell's own expansion.
private func isPlain(_ name: String) -> Bool {
  name.utf8.first != UInt8(ascii: "-")
    && name.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
      case UInt8(ascii: "0")...UInt8(ascii: "9"): true
      case UInt8(ascii: "@"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "+"): true
      default: false
      }
    }
}

extension DatabaseOptions {
  /// As they stand in a line that is being typed.
  fileprivate init(of words: [String]) {
    self.init()
    func value(_ name: String) -> String? {
      for (index, word) in words.enumerated() {
        if word == name { return words.indices.contains(index + 1) ? words[index + 1] : nil }
        if word.hasPrefix(name + "=") { return String(word.dropFirst(name.count + 1)) }
      }
      return nil
    }
    db = value("--db")
    config = value("--config")
  }
}
