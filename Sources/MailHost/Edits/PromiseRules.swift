/// What a value of a parameter takes back of what the mail host promises; nil: nothing.
enum PromiseRules {
  /// The parameters of our main.cf that master.cf refers to.
  static let ours = [
    "submission_client_restrictions": "permit_sasl_authenticated, reject",
    "submission_sender_restrictions": "reject_sender_login_mismatch",
    "submission_relay_restrictions": "permit_sasl_authenticated, reject",
    "submission_recipient_restrictions":
      "check_sasl_access sqlite:/etc/postfix/sqlite/relay-accounts.cf, permit_sasl_authenticated, reject",
    "smtpd_milters": "inet:127.0.0.1:11332",
  ]

  /// In main.cf, where it is for every service that has no option of its own.
  static func main(_ name: String, _ value: String) -> String? {
    switch name {
    case "mynetworks": return wideNetworks(value)
    case "smtpd_sasl_auth_enable" where value == "yes":
      return "port 25 takes logins too, and there nothing checks that a login sends under its own addresses"
    case "virtual_mailbox_domains", "virtual_mailbox_maps", "virtual_alias_maps":
      return lacks(value, "sqlite:/etc/postfix/sqlite/", "what mailcfg writes into the account database has no effect")
    case "virtual_transport" where !value.hasPrefix("lmtp:unix:private/dovecot-lmtp"):
      return "mail does not go through dovecot, and no filter of a user runs"
    case "smtpd_sender_login_maps":
      return lacks(
        value, "sqlite:/etc/postfix/sqlite/sender-logins.cf", "who may send as whom is not what the database says")
    case "submission_client_restrictions", "submission_relay_restrictions", "submission_sender_restrictions",
      "submission_recipient_restrictions":
      return submission("smtpd_" + name.dropFirst("submission_".count), value)
    case "only_own_domains":
      return lacks(value, "reject_unauth_destination", "relay@ reaches other hosts: a report's password sends spam")
    case "alias_maps":
      return lacks(value, "static:root", "mail to system users lies unread in /var/mail, outside of the vault")
    case "local_recipient_maps" where value.isEmpty:
      return "every name at this host takes mail"
    case "queue_directory": return "set mail_queue_dir instead: mailboot must know whether the queue is in the vault"
    case "myhostname": return "set mail_server_hostname instead: dovecot and the checks go by that"
    case "smtpd_tls_cert_file": return "set mail_ssl_cert instead: dovecot serves that one"
    case "smtpd_tls_key_file": return "set mail_ssl_certkey instead: dovecot serves that one"
    default: return anywhere(name, value)
    }
  }

  /// As an option of the two ports for users' programs.
  static func submission(_ name: String, _ value: String) -> String? {
    switch name {
    case "smtpd_sender_restrictions" where !checksSender(value):
      return "a user can send as another: it lacks reject_sender_login_mismatch"
    case "smtpd_client_restrictions" where !refusesStrangers(value),
      "smtpd_relay_restrictions" where !refusesStrangers(value):
      return "who has not logged in is not refused: it needs \"permit_sasl_authenticated, reject\""
    case "smtpd_recipient_restrictions":
      return lacks(
        value, "check_sasl_access sqlite:/etc/postfix/sqlite/relay-accounts.cf", "relay@ reaches other hosts")
    case "smtpd_sasl_auth_enable" where value == "no": return "nobody can log in, and so nobody can send"
    case "smtpd_tls_security_level" where value != "encrypt": return "mail and passwords may come in the clear"
    case "smtpd_tls_wrappermode" where value == "no": return "TLS does not begin with the first byte, as it must on 465"
    case "milter_macro_daemon_name" where value != "ORIGINATING": return "rspamd does not know the mail as our users'"
    default: return anywhere(name, value)
    }
  }

  /// As an option of a service of the administrator's own, or as its command.
  static func service(_ name: String, _ value: String, _ options: [String: String]) -> String? {
    switch name {
    case "smtpd_sasl_auth_enable" where value == "yes" && !checksSender(options["smtpd_sender_restrictions"] ?? ""):
      return "a user can send as another there: smtpd_sender_restrictions lacks reject_sender_login_mismatch"
    case "mynetworks": return wideNetworks(value)
    case "command": return nil
    default: return anywhere(name, value)
    }
  }

  /// What is bad wherever it stands.
  private static func anywhere(_ name: String, _ value: String) -> String? {
    switch name {
    case "smtpd_relay_restrictions" where !refusesStrangers(value) && !refusesForeign(value):
      return "anybody may send mail to anybody through this host: it lacks reject_unauth_destination"
    case "smtpd_forbid_bare_newline" where value == "no":
      return "a message can hide a second one with a forged sender in it (SMTP smuggling)"
    case "smtpd_forbid_unauth_pipelining" where value == "no":
      return "clients may send commands ahead that they were not told they may, as smuggling needs it"
    case "milter_default_action" where ["accept", "quarantine"].contains(value):
      return "while rspamd is down, mail passes unfiltered and leaves unsigned"
    case "smtpd_milters", "non_smtpd_milters":
      return value.contains("127.0.0.1:11332") || value == "$smtpd_milters"
        ? nil : "mail that comes in this way is neither filtered nor signed"
    case "smtpd_tls_auth_only" where value == "no": return "passwords may come in the clear"
    case "smtpd_tls_security_level" where value == "none", "smtp_tls_security_level" where value == "none":
      return "mail goes over the network in the clear"
    case "disable_vrfy_command" where value == "no": return "anybody may ask who has a mailbox here"
    default: return nil
    }
  }

  private static func lacks(_ value: String, _ needed: String, _ consequence: String) -> String? {
    words(value).joined(separator: " ").contains(needed) ? nil : consequence
  }

  private static func words(_ value: String) -> [Substring] { value.split { $0 == "," || isSpace($0) } }

  private static func checksSender(_ value: String) -> Bool {
    words(value).contains { $0 == "reject_sender_login_mismatch" || $0 == "reject_authenticated_sender_login_mismatch" }
  }

  /// Ends with a refusal, and permits nobody before that but who has logged in or belongs here.
  private static func refusesStrangers(_ value: String) -> Bool {
    let words = words(value)
    guard let end = words.firstIndex(where: { $0 == "reject" || $0 == "defer" }) else { return false }
    return !words[..<end].contains("permit")
  }

  private static func refusesForeign(_ value: String) -> Bool {
    let words = words(value)
    guard let end = words.firstIndex(where: { $0 == "reject_unauth_destination" || $0 == "defer_unauth_destination" })
    else { return false }
    return !words[..<end].contains("permit")
  }

  /// Networks that are more than one address, and what cannot be looked into.
  private static func wideNetworks(_ value: String) -> String? {
    let wide = words(value).filter { word in
      let parts = word.filter { $0 != "[" && $0 != "]" }.split(separator: "/", maxSplits: 1)
      guard isNetwork(parts.joined(separator: "/")) else { return !word.hasPrefix("!") }
      return parts.count > 1 && parts[1] != (parts[0].contains(":") ? "128" : "32")
    }
    if wide.isEmpty { return nil }
    return "whoever has an address in \(wide.joined(separator: ", ")) may send anywhere without a login; "
      + "friendly_networks is the key for that, and tells rspamd and fail2ban too"
  }
}
