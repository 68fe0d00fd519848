/// What can be asked of `mailcfg`. The first twelve are those of the script that it replaces.
enum Verb: String, CaseIterable {
  case addalias, adddom, adduser, lsalias, lsdom, lsuser, rmalias, rmdom, rmuser, passwd, disable, enable
  case set, `import`, export, check, verify, backup, schemes, help
  /// For the completion of the shells: prints names, and never an error.
  case complete

  /// Those that the help shows.
  static var shown: [Verb] { allCases.filter { $0 != .complete } }

  /// Names of its arguments, those that may be left out in brackets.
  var synopsis: String {
    switch self {
    case .addalias: "SOURCE DESTINATION[,…]"
    case .adddom, .rmdom: "DOMAIN"
    case .adduser, .passwd: "EMAIL [PASSWORD]"
    case .lsalias, .lsuser: "[DOMAIN]"
    case .lsdom, .export, .check, .schemes: ""
    case .rmalias: "SOURCE | -id N"
    case .rmuser, .disable, .enable, .set, .verify: "EMAIL"
    case .import: "FILE | -"
    case .backup: "FILE"
    case .help: "[VERB]"
    case .complete: "users | domains | aliases"
    }
  }

  /// How many arguments it takes.
  var arguments: ClosedRange<Int> {
    switch self {
    case .addalias: 2...2
    case .adduser, .passwd: 1...2
    case .lsalias, .lsuser, .help, .rmalias: 0...1
    case .lsdom, .export, .check, .schemes: 0...0
    case .adddom, .rmdom, .rmuser, .disable, .enable, .set, .import, .verify, .backup, .complete: 1...1
    }
  }

  /// Besides `Option.common`.
  var options: [Option] {
    switch self {
    case .addalias: [.createDomain, .dryRun]
    case .adddom, .disable, .enable: [.dryRun]
    case .adduser:
      [.stdin, .generate, .scheme, .disabled, .sendOnly, .receiveOnly, .quota, .createDomain, .dryRun]
    case .passwd: [.stdin, .generate, .scheme, .dryRun]
    case .lsdom: [.search, .format]
    case .lsalias: [.domain, .search, .format]
    case .lsuser: [.domain, .search, .disabled, .enabled, .format]
    case .rmalias: [.id, .dryRun]
    case .rmdom, .rmuser: [.yes, .purgeMail, .dryRun]
    case .set: [.sendOnly, .receiveOnly, .normal, .quota, .dryRun]
    case .import: [.format, .prune, .scheme, .yes, .dryRun]
    case .export: [.noPasswords]
    case .check: [.format]
    case .schemes: [.domain, .search, .format]
    case .verify: [.stdin]
    case .backup, .help, .complete: []
    }
  }

  var summary: String {
    switch self {
    case .addalias: "deliver mail to SOURCE (or to all of @DOMAIN) elsewhere as well"
    case .adddom: "accept mail for a domain"
    case .adduser: "add a mailbox; asks for its password"
    case .lsalias: "list aliases"
    case .lsdom: "list domains"
    case .lsuser: "list users"
    case .rmalias: "remove an alias with all its destinations, or one of them by its number"
    case .rmdom: "remove a domain with its users and aliases; their mail stays"
    case .rmuser: "remove a user; the mail stays"
    case .passwd: "change a password; asks for it"
    case .disable: "let a user neither log in nor receive mail"
    case .enable: "take that back"
    case .set: "change what a user may do, and the quota"
    case .import: "add and change accounts from JSON (as of `export`) or CSV"
    case .export: "print all accounts as JSON"
    case .check: "look for mistakes in the database; exit code 1 when there are any"
    case .verify: "is this the password? exit code 1 when it is not, or when the user is disabled"
    case .backup: "copy the database into a new file while it is used"
    case .schemes: "list users whose password is hashed in an old way"
    case .help: "this help"
    case .complete: "names for the completion of the shells"
    }
  }
}
