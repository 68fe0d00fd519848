import ArgumentParser
import JSON
import MailAccounts
import MailbootCore

struct ListDomains: Verb {
  static let configuration = CommandConfiguration(commandName: "lsdom", abstract: "List domains.")

  @OptionGroup var options: ListOptions
  @OptionGroup var database: DatabaseOptions

  func perform(_ output: Output) throws(Failure) -> ExitCode {
    var host = Host(database)
    let list = RowList(["id", "name"], options.format, output)
    let accounts = try host.database(.read)
    output.mayWait(beside: accounts.path)
    try withAccountErrors { () throws(AccountError) in
      try accounts.domains(ListFilter(search: options.search)) { domain in
        list.add([.integer(domain.id), .string(domain.name)], shown: [String(domain.id), domain.name]) { output in
          output.addVisible(domain.name)
          output.add(" (id \(domain.id))")
        }
      }
    }
    list.end(["ID", "NAME"])
    return .done
  }
}

struct ListUsers: Verb {
  enum Activity: String, EnumerableFlag {
    case disabled, enabled

    static func help(for activity: Activity) -> ArgumentHelp? { "Only users that are \(activity.rawValue)." }
  }

  static let configuration = CommandConfiguration(commandName: "lsuser", abstract: "List users.")

  @Argument(completion: .domains) var domain: String?
  @OptionGroup var named: DomainOption
  @Flag(exclusivity: .exclusive)
  var activity: Activity?
  @OptionGroup var options: ListOptions
  @OptionGroup var database: DatabaseOptions

  func perform(_ output: Output) throws(Failure) -> ExitCode {
    var host = Host(database)
    let list = RowList(["id", "email", "active", "receives", "sends", "quota", "domain"], options.format, output)
    let accounts = try host.database(.read)
    output.mayWait(beside: accounts.path)
    var filter = try options.filter(domain, named, accounts)
    filter.isActive = activity.map { $0 == .enabled }
    try withAccountErrors { () throws(AccountError) in
      try accounts.users(filter) { user in list.add(user) }
    }
    list.end(["ID", "EMAIL", "STATUS", "MAIL", "QUOTA"])
    return .done
  }
}

extension RowList {
  fileprivate func add(_ user: UserRecord) {
    add(
      [
        .integer(user.id), .string(user.email), .bool(user.isActive), .bool(user.limits.receives),
        .bool(user.limits.sends), user.limits.quota.map(JSONText.integer) ?? .null, .string(domainPart(user.email)),
      ],
      shown: [
        String(user.id), user.email, user.isActive ? "enabled" : "disabled", mail(user.limits),
        user.limits.quota.map(size) ?? "",
      ]
    ) { output in
      output.addVisible(user.email)
      if !user.isActive { output.add(" (DISABLED)") }
    }
  }
}

struct ListAliases: Verb {
  static let configuration = CommandConfiguration(commandName: "lsalias", abstract: "List aliases.")

  @Argument(completion: .domains) var domain: String?
  @OptionGroup var named: DomainOption
  @OptionGroup var options: ListOptions
  @OptionGroup var database: DatabaseOptions

  func perform(_ output: Output) throws(Failure) -> ExitCode {
    var host = Host(database)
    let list = RowList(["id", "src", "dst"], options.format, output)
    let accounts = try host.database(.read)
    output.mayWait(beside: accounts.path)
    let filter = try options.filter(domain, named, accounts)
    try withAccountErrors { () throws(AccountError) in
      try accounts.aliases(filter) { alias in
        list.add(
          [.integer(alias.id), .string(alias.source), .string(alias.destination)],
          shown: [String(alias.id), alias.source, alias.destination]
        ) { output in
          output.add(String(alias.id))
          output.add(0x09)
          output.addField(alias.source)
          output.add(0x09)
          output.addField(alias.destination)
        }
      }
    }
    list.end(["ID", "SOURCE", "DESTINATION"])
    return .done
  }
}

struct ListSchemes: Verb {
  static let configuration = CommandConfiguration(
    commandName: "schemes", abstract: "List users whose password is not hashed as it would be today.")

  @OptionGroup var named: DomainOption
  @OptionGroup var options: ListOptions
  @OptionGroup var database: DatabaseOptions

  func perform(_ output: Output) throws(Failure) -> ExitCode {
    var host = Host(database)
    let list = RowList(["email", "scheme", "strength"], options.format, output)
    let accounts = try host.database(.read)
    output.mayWait(beside: accounts.path)
    let filter = try options.filter(nil, named, accounts)
    try withAccountErrors { () throws(AccountError) in
      try accounts.storedPasswords(filter) { user, stored in
        let hash = StoredHash(stored)
        guard hash.strength != .strong else { return }
        let strength = "\(hash.strength)"
        list.add(
          [.string(user.email), .optional(hash.scheme), .string(strength)],
          shown: [user.email, hash.scheme ?? "-", strength]
        ) { output in
          output.addField(user.email)
          output.add("\t\(hash.scheme ?? "-")\t\(strength)")
        }
      }
    }
    list.end(["EMAIL", "SCHEME", "STRENGTH"])
    return .done
  }
}

extension ListOptions {
  /// What the options and the argument choose. A domain that is not there has nothing to list, and that is said.
  fileprivate func filter(
    _ argument: String?, _ option: DomainOption, _ accounts: borrowing AccountDatabase
  ) throws(Failure) -> ListFilter {
    guard argument == nil || option.domain == nil else {
      throw .usage("the domain is given twice", hint: "as an argument or with --domain")
    }
    guard let typed = argument ?? option.domain else { return ListFilter(search: search) }
    do {
      return ListFilter(domain: try accounts.domain(typed).name, search: search)
    } catch .noDomain(let name) {
      warn("there is no domain \(name)")
      // Users that a removed domain has left behind are shown all the same.
      return ListFilter(domain: name, search: search)
    } catch {
      throw .accounts(error)
    }
  }
}

extension AccountDatabase {
  /// Whether there is a domain with exactly this name.
  func hasDomain(_ name: String) throws(Failure) -> Bool {
    var isThere = false
    try withAccountErrors { () throws(AccountError) in
      try domains(ListFilter(domain: name)) { _ in isThere = true }
    }
    return isThere
  }
}

private func mail(_ limits: Limits) -> String {
  switch (limits.receives, limits.sends) {
  case (true, true): ""
  case (false, true): "send-only"
  case (true, false): "receive-only"
  case (false, false): "none"
  }
}

/// Exact, in the largest unit that it is a whole number of.
private func size(_ bytes: Int64) -> String {
  for (unit, shift) in [("T", 40), ("G", 30), ("M", 20), ("K", 10)] where bytes > 0 && bytes % (1 << shift) == 0 {
    return "\(bytes >> shift)\(unit)"
  }
  return String(bytes)
}
