import MailAccounts

/// All that is in an account database, to be held against another one.
struct AccountList: Equatable {
  struct Account: Equatable {
    /// What is stored, compared and never shown.
    fileprivate var password: String
    fileprivate var isActive: Bool
    fileprivate var limits: Limits
  }

  private(set) var domains: Set<String> = []
  private(set) var users: [String: Account] = [:]
  /// `SOURCE -> DESTINATION`.
  private(set) var aliases: Set<String> = []
  /// What `mailcfg check` would say.
  private(set) var findings: [AccountFinding] = []

  /// Nobody.
  init() {}

  init(_ database: borrowing AccountDatabase) throws(AccountError) {
    findings = try database.check()
    if findings.contains(where: { $0.kind == "damage" }) { return }
    var domains: Set<String> = []
    var users: [String: Account] = [:]
    var aliases: Set<String> = []
    try database.domains { domains.insert($0.name) }
    try database.storedPasswords { user, password in
      users[user.email] = Account(password: password, isActive: user.isActive, limits: user.limits)
    }
    try database.aliases { aliases.insert("\($0.source) -> \($0.destination)") }
    self.domains = domains
    self.users = users
    self.aliases = aliases
  }

  static func == (left: AccountList, right: AccountList) -> Bool {
    left.domains == right.domains && left.users == right.users && left.aliases == right.aliases
  }

  /// What a change from one to the other would mean, by name.
  struct Change: Equatable {
    enum Direction: String {
      case comes, goes, changes
    }

    var direction: Direction
    var text: String
  }

  /// From `self` to `other`.
  func changes(to other: AccountList) -> [Change] {
    func sets(_ kind: String, _ before: Set<String>, _ after: Set<String>) -> [Change] {
      after.subtracting(before).sorted().map { Change(direction: .comes, text: "\(kind) \($0)") }
        + before.subtracting(after).sorted().map { Change(direction: .goes, text: "\(kind) \($0)") }
    }
    var changes = sets("domain", domains, other.domains)
    changes += sets("user", Set(users.keys), Set(other.users.keys))
    for (email, account) in users.sorted(by: { $0.key < $1.key }) {
      guard let after = other.users[email], after != account else { continue }
      var what: [String] = []
      if after.password != account.password { what.append("password") }
      if after.isActive != account.isActive { what.append(after.isActive ? "enabled" : "disabled") }
      if after.limits != account.limits { what.append("limits") }
      changes.append(Change(direction: .changes, text: "user \(email): \(what.joined(separator: ", "))"))
    }
    return changes + sets("alias", aliases, other.aliases)
  }
}
