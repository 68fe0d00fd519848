import ArgumentParser
import MailAccounts
import MailbootCore

struct AddDomain: ChangingVerb {
  static let configuration = CommandConfiguration(commandName: "adddom", abstract: "Accept mail for a domain.")

  @Argument var domain: String
  @OptionGroup var options: ChangeOptions
  @OptionGroup var database: DatabaseOptions

  func perform(_ output: Output) throws(Failure) -> ExitCode {
    var host = Host(database)
    let name = try withNameErrors { () throws(NameError) in try DomainName(domain) }
    let accounts = try host.database(.create, dryRun: options.dryRun)
    let changes = try perform(.addDomain(name), on: accounts, output, says: "added domain")
    try makeDirectories(for: changes, &host)
    return .done
  }
}

struct AddAlias: ChangingVerb {
  static let configuration = CommandConfiguration(
    commandName: "addalias", abstract: "Deliver mail to an address (or to all of @DOMAIN) elsewhere as well.")

  @Argument(completion: .users) var source: String
  @Argument(help: "One address, or several with commas between them.", completion: .users) var destination: String
  @Flag(help: "Add the domain if it is not there.")
  var createDomain = false
  @OptionGroup var options: ChangeOptions
  @OptionGroup var database: DatabaseOptions

  func perform(_ output: Output) throws(Failure) -> ExitCode {
    var host = Host(database)
    let alias = try withNameErrors { () throws(NameError) in try AliasSource(source) }
    let destinations = try withNameErrors { () throws(NameError) in
      try AliasDestinations(destination, of: alias) { MailSystem.ofThisHost().localDomains.contains($0) }
    }
    let accounts = try host.database(createDomain ? .create : .change, dryRun: options.dryRun)
    let changes = try perform(
      .addAlias(alias, destinations, createDomain: createDomain), on: accounts, output, says: "added alias")
    try makeDirectories(for: changes, &host)
    return .done
  }
}

struct AddUser: ChangingVerb {
  static let configuration = CommandConfiguration(
    commandName: "adduser", abstract: "Add a mailbox; asks for its password.")

  @Argument(completion: .newUser) var email: String
  @OptionGroup var new: NewPasswordOptions
  @Flag(help: "The user cannot log in yet.")
  var disabled = false
  @OptionGroup var limits: LimitsOptions
  @Flag(help: "Add the domain if it is not there.")
  var createDomain = false
  @OptionGroup var options: ChangeOptions
  @OptionGroup var database: DatabaseOptions

  func perform(_ output: Output) throws(Failure) -> ExitCode {
    var host = Host(database)
    let address = try withNameErrors { () throws(NameError) in try EmailAddress(email) }
    let source = try PasswordSource(new, dryRun: options.dryRun)
    let accounts = try host.database(createDomain ? .create : .change, dryRun: options.dryRun)
    guard try isWanted(address, in: accounts) else { return .done }
    let password = try source.password(for: address.text)
    let hash = try password.hash(new.scheme.scheme, &host)
    let request = Request.addUser(
      address, hash, limits.change.applied(to: Limits()), isActive: !disabled, createDomain: createDomain)
    // Who would not know the generated password could not use the account either.
    let changes = try perform(request, on: accounts, output, says: nil)
    if !options.dryRun, let changes, changes.contains(where: \.addsUser) {
      try password.showIfGenerated()
      output.line("added user")
    }
    try makeDirectories(for: changes, &host)
    return .done
  }

  /// Whether there is a user to be added: nobody is asked for a password that is then of no use.
  private func isWanted(_ email: EmailAddress, in accounts: borrowing AccountDatabase) throws(Failure) -> Bool {
    do {
      let user = try accounts.storedPassword(of: email.text).user
      // One that differs in case only is another matter, which the database has to decide.
      guard user.email == email.text else { return true }
      warn(of: [.userIsThere(email: email.text)])
      return false
    } catch .noUser {
      guard !createDomain else { return true }
    } catch {
      throw .accounts(error)
    }
    guard try accounts.hasDomain(email.domain.text) else {
      throw .accounts(.unknownDomain(email.domain, address: email.text))
    }
    return true
  }
}

extension Change {
  fileprivate var addsUser: Bool {
    if case .addUser = self { return true }
    return false
  }
}
