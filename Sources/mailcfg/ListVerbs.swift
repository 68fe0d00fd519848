import MailAccounts

func listDomains(_ arguments: Arguments, _ output: Output) throws(Failure) {
  var host = Host(arguments)
  let list = try RowList(["id", "name"], arguments, output)
  let database = try host.database(.read)
  try accounts { () throws(AccountError) in
    try database.domains(ListFilter(search: arguments[.search])) { domain in
      list.add([.number(domain.id), .text(domain.name)], shown: [String(domain.id), domain.name]) { output in
        output.addVisible(domain.name)
        output.add(" (id \(domain.id))")
      }
    }
  }
  list.end(["ID", "NAME"])
}

func listUsers(_ arguments: Arguments, _ output: Output) throws(Failure) {
  var host = Host(arguments)
  let list = try RowList(
    ["id", "email", "active", "receives", "sends", "quota", "domain"], arguments, output)
  guard !(arguments.has(.disabled) && arguments.has(.enabled)) else {
    throw .usage("--disabled and --enabled exclude each other", hint: "without both, all users are listed")
  }
  let database = try host.database(.read)
  var filter = try filter(arguments, database)
  if arguments.has(.disabled) { filter.isActive = false }
  if arguments.has(.enabled) { filter.isActive = true }
  try accounts { () throws(AccountError) in
    try database.users(filter) { user in list.add(user) }
  }
  list.end(["ID", "EMAIL", "STATUS", "MAIL", "QUOTA"])
}

extension RowList {
  fileprivate func add(_ user: UserRecord) {
    add(
      [
        .number(user.id), .text(user.email), .flag(user.isActive), .flag(user.limits.receives),
        .flag(user.limits.sends), user.limits.quota.map(Cell.number) ?? .none, .text(domain(of: user.email)),
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

func listAliases(_ arguments: Arguments, _ output: Output) throws(Failure) {
  var host = Host(arguments)
  let list = try RowList(["id", "src", "dst"], arguments, output)
  let database = try host.database(.read)
  let filter = try filter(arguments, database)
  try accounts { () throws(AccountError) in
    try database.aliases(filter) { alias in
      list.add(
        [.number(alias.id), .text(alias.source), .text(alias.destination)],
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
}

/// Users whose password's hash is not what is made today.
func listSchemes(_ arguments: Arguments, _ output: Output) throws(Failure) {
  var host = Host(arguments)
  let list = try RowList(["email", "scheme", "strength"], arguments, output)
  let database = try host.database(.read)
  let filter = try filter(arguments, database)
  try accounts { () throws(AccountError) in
    try database.storedPasswords(filter) { user, stored in
      let hash = StoredHash(stored)
      guard hash.strength != .strong else { return }
      let strength = "\(hash.strength)"
      list.add(
        [.text(user.email), hash.scheme.map(Cell.text) ?? .none, .text(strength)],
        shown: [user.email, hash.scheme ?? "-", strength]
      ) { output in
        output.addField(user.email)
        output.add("\t\(hash.scheme ?? "-")\t\(strength)")
      }
    }
  }
  list.end(["EMAIL", "SCHEME", "STRENGTH"])
}

/// What the options and the argument choose. A domain is looked up as it was typed, then normalised; one that is not there has
/// nothing to list, and that is said.
private func filter(_ arguments: Arguments, _ database: borrowing AccountDatabase) throws(Failure) -> ListFilter {
  guard arguments.words.isEmpty || !arguments.has(.domain) else {
    throw .usage("the domain is given twice", hint: "as an argument or with --domain")
  }
  guard let typed = arguments.words.first ?? arguments[.domain] else { return ListFilter(search: arguments[.search]) }
  var name = typed
  if try !isDomain(name, database) {
    name = try named { () throws(NameError) in try DomainName(typed).text }
    let isThere = try isDomain(name, database)
    if !isThere { warn("there is no domain \(name)") }
  }
  return ListFilter(domain: name, search: arguments[.search])
}

private func isDomain(_ name: String, _ database: borrowing AccountDatabase) throws(Failure) -> Bool {
  var isThere = false
  try accounts { () throws(AccountError) in
    try database.domains(ListFilter(domain: name)) { _ in isThere = true }
  }
  return isThere
}

private func domain(of email: String) -> String {
  email.utf8.lastIndex(of: UInt8(ascii: "@")).map { String(email[email.utf8.index(after: $0)...]) } ?? ""
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
