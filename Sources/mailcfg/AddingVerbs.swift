import MailAccounts

func addDomain(_ arguments: Arguments, _ output: Output) throws(Failure) {
  var host = Host(arguments)
  let name = try named { () throws(NameError) in try DomainName(arguments.words[0]) }
  let database = try host.database(.create)
  let changes = try perform(.addDomain(name), on: database, arguments, output, says: "added domain")
  try makeDirectories(for: changes, arguments, &host)
}

func addAlias(_ arguments: Arguments, _ output: Output) throws(Failure) {
  var host = Host(arguments)
  let source = try named { () throws(NameError) in try AliasSource(arguments.words[0]) }
  let destinations = try named { () throws(NameError) in try AliasDestinations(arguments.words[1]) }
  let createDomain = arguments.has(.createDomain)
  let database = try host.database(createDomain ? .create : .change)
  let changes = try perform(
    .addAlias(source, destinations, createDomain: createDomain), on: database, arguments, output, says: "added alias")
  try makeDirectories(for: changes, arguments, &host)
}

func removeAlias(_ arguments: Arguments, _ output: Output) throws(Failure) {
  var host = Host(arguments)
  let request: Request
  switch (arguments.words.first, arguments[.id]) {
  case (let source?, nil): request = .removeAlias(source)
  case (nil, let text?):
    guard let number = Int64(text) else {
      throw .usage("\"\(text)\" is no alias's number", hint: "`mailcfg lsalias` shows the numbers")
    }
    request = .removeAliasNumber(number)
  default: throw .usage("either an alias's address or its number", hint: "`mailcfg rmalias SOURCE` or `-id N`")
  }
  try perform(request, on: try host.database(.change), arguments, output, says: "deleted alias")
}

func addUser(_ arguments: Arguments, _ output: Output) throws(Failure) {
  var host = Host(arguments)
  let email = try named { () throws(NameError) in try EmailAddress(arguments.words[0]) }
  let limits = try limitsChange(arguments)
  var new = Limits()
  if let receives = limits.receives { new.receives = receives }
  if let sends = limits.sends { new.sends = sends }
  if let quota = limits.quota { new.quota = quota }
  let source = try PasswordSource(arguments)
  let createDomain = arguments.has(.createDomain)
  let database = try host.database(createDomain ? .create : .change)
  guard try isWanted(email, createDomain, in: database) else { return }
  let password = try source.password(for: email.text)
  let request = Request.addUser(
    email, try password.hash(arguments, &host), new, isActive: !arguments.has(.disabled), createDomain: createDomain)
  // Who would not know the generated password could not use the account either.
  let changes = try perform(request, on: database, arguments, output, says: nil)
  if !arguments.has(.dryRun) && changes.contains(where: \.addsUser) {
    try password.showIfGenerated()
    output.line("added user")
  }
  try makeDirectories(for: changes, arguments, &host)
}

/// Whether there is a user to be added: nobody is asked for a password that is then of no use.
private func isWanted(
  _ email: EmailAddress, _ createDomain: Bool, in database: borrowing AccountDatabase
) throws(Failure) -> Bool {
  do {
    let user = try database.storedPassword(of: email.text).user
    // One that differs in case only is another matter, which the database has to decide.
    guard user.email == email.text else { return true }
    warn(Warning.userIsThere(email: email.text).description)
    return false
  } catch .noUser {
    guard !createDomain else { return true }
  } catch {
    throw .accounts(error)
  }
  var isKnown = false
  try accounts { () throws(AccountError) in
    try database.domains(ListFilter(domain: email.domain.text)) { _ in isKnown = true }
  }
  guard isKnown else { throw .accounts(.unknownDomain(email.domain, address: email.text)) }
  return true
}

extension Change {
  fileprivate var addsUser: Bool {
    if case .addUser = self { return true }
    return false
  }
}
