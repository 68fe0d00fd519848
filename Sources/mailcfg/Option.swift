/// The options of all verbs. `--NAME VALUE` and `--NAME=VALUE` are the same.
enum Option: String, CaseIterable {
  case db, config, format, domain, search, quota, scheme, id
  case disabled, enabled
  case sendOnly = "send-only"
  case receiveOnly = "receive-only"
  case normal
  case stdin, generate
  case createDomain = "create-domain"
  case dryRun = "dry-run"
  case yes
  case purgeMail = "purge-mail"
  case prune
  case noPasswords = "no-passwords"
  case help, version

  /// Those that every verb has.
  static let common: [Option] = [.db, .config, .help]

  /// What the help calls its value; nil: it has none.
  var valueName: String? {
    switch self {
    case .db, .config: "FILE"
    case .format: "FORMAT"
    case .domain: "DOMAIN"
    case .search: "TEXT"
    case .quota: "SIZE"
    case .scheme: "SCHEME"
    case .id: "N"
    default: nil
    }
  }

  var summary: String {
    switch self {
    case .db: "this database instead of the configured one, whatever is mounted"
    case .config: "read FILE and FILE.d/*.toml instead of /etc/mailboot/mailboot.toml"
    case .format: "json, tsv or text; import: json or csv"
    case .domain: "only this domain's"
    case .search: "only those with TEXT in them"
    case .quota: "the most the mailbox may hold, such as 2G; `none` takes it away"
    case .scheme: "how the password is hashed: ARGON2ID, BLF-CRYPT or SHA512-CRYPT"
    case .id: "the alias with this number, as `lsalias` shows it"
    case .disabled: "disabled users only; adduser: nobody can log in yet"
    case .enabled: "only users that are not disabled"
    case .sendOnly: "it sends, and no mail is delivered to it"
    case .receiveOnly: "it receives, and may send nothing"
    case .normal: "it sends and receives"
    case .stdin: "read the password from standard input (one newline at its end is dropped)"
    case .generate: "make a password and print it, alone on the first line"
    case .createDomain: "add the domain if it is not there"
    case .dryRun: "print what would be changed, and change nothing"
    case .yes: "do not ask"
    case .purgeMail: "move the mail aside as well; nothing is deleted"
    case .prune: "also remove what the file does not have"
    case .noPasswords: "leave the passwords out"
    case .help: "this help"
    case .version: "the version"
    }
  }
}
