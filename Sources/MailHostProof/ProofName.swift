/// What `mailhost test` shows of a mail host, by the names that its reports, the metrics and the templates use.
public enum ProofName: String, CaseIterable, Sendable {
  case greeting
  case openRelay = "open-relay"
  case authOn25 = "auth-on-25"
  case twoMailboxes = "two-mailboxes"
  case forgedSender = "forged-sender"
  case relayAccount = "relay-account"
  case smuggling
  case gtube
  case junkFiled = "junk-filed"
  case learnSpam = "learn-spam"
  case learnHam = "learn-ham"
  case trashIsNoHam = "trash-is-no-ham"
  case filterStopped = "filter-stopped"
  case signed
  case certificateServed = "certificate-served"
  case databaseAccess = "database-access"
  case keyAccess = "key-access"
  case socketModes = "socket-modes"
  case managesieve
  case queueInVault = "queue-in-vault"
  case systemMail = "system-mail"
  case limits
  case loginLog = "login-log"

  /// What it shows, in one sentence.
  public var meaning: String {
    switch self {
    case .greeting: "Port 25 greets with the host's full name, and the submission ports answer."
    case .openRelay: "A stranger cannot send through this host to a domain that is not its own."
    case .authOn25: "Port 25 offers no login, before TLS and within it, and takes none."
    case .twoMailboxes: "Mail to two users lies in two directories, and each reads only the own one."
    case .forgedSender: "Who has logged in on port 465 or 587 cannot send as somebody else."
    case .relayAccount: "A relay@ account reaches the host's own domains, and no other."
    case .smuggling: "No odd line end hides a second message in a first one, and no command is taken ahead of its turn."
    case .gtube: "The test message that every spam filter knows is refused."
    case .junkFiled: "A dubious message is marked by rspamd, and lies in Junk."
    case .learnSpam: "A message moved into Junk teaches rspamd spam."
    case .learnHam: "A message moved out of Junk teaches rspamd that it was none."
    case .trashIsNoHam: "A message moved from Junk to Trash trains nothing."
    case .filterStopped: "While the filter does not answer, mail is put off with 4xx: none passes unseen or unsigned."
    case .signed: "A message sent by a user carries a DKIM signature made with the key on disk."
    case .certificateServed: "The certificate that each port serves is the one on disk."
    case .databaseAccess:
      "Dovecot's user reads the account database and cannot change it, others do neither, tried as them."
    case .keyAccess: "rspamd reads the DKIM keys, nobody else, and none of them the certificate's key, tried as them."
    case .socketModes: "Only postfix can open the sockets for delivery and login."
    case .managesieve: "A user can log in on port 4190 and upload a filter, only with TLS."
    case .queueInVault: "The queue that postfix works in lies in the vault."
    case .systemMail: "Mail to root is taken and goes to the administrator, mail to an invented name is refused."
    case .limits: "An account that has sent more than the settings allow at once is put off."
    case .loginLog: "The filter for fail2ban finds the line of a failed login in this host's log."
    }
  }
}
