import MailbootCore
import TestSupport
import Testing

@testable import MailHost

private func warnings(_ name: String, _ value: String) -> [String] {
  var own = HostSettings.Own()
  own.main = [ownLine(name, value)]
  return Promises.warnings(own).map(\.description)
}

@Test(arguments: [
  ("smtpd_relay_restrictions", "permit_mynetworks, permit", "reject_unauth_destination"),
  ("smtpd_relay_restrictions", "permit, reject_unauth_destination", "reject_unauth_destination"),
  ("smtpd_relay_restrictions", "", "anybody may send"), ("mynetworks", "127.0.0.0/8 [::1]/128", "127.0.0.0/8"),
  ("mynetworks", "127.0.0.1/32, [2001:db8::]/48", "[2001:db8::]/48"), ("mynetworks", "hash:/etc/x", "hash:/etc/x"),
  ("smtpd_forbid_bare_newline", "no", "smuggling"), ("smtpd_forbid_unauth_pipelining", "no", "smuggling"),
  ("milter_default_action", "accept", "unsigned"), ("smtpd_sasl_auth_enable", "yes", "port 25"),
  ("smtpd_tls_auth_only", "no", "in the clear"), ("smtpd_tls_security_level", "none", "in the clear"),
  ("virtual_mailbox_domains", "example.org", "mailcfg"), ("virtual_alias_maps", "hash:/etc/postfix/virtual", "mailcfg"),
  ("virtual_transport", "virtual", "dovecot"), ("smtpd_milters", "", "neither filtered nor signed"),
  ("smtpd_sender_login_maps", "", "who may send"), ("only_own_domains", "permit", "relay@"),
  ("submission_sender_restrictions", "permit_sasl_authenticated", "as another"),
  ("submission_relay_restrictions", "permit", "not refused"),
  ("submission_recipient_restrictions", "permit_sasl_authenticated, reject", "relay@"),
  ("alias_maps", "hash:/etc/aliases", "/var/mail"), ("local_recipient_maps", "", "takes mail"),
  ("queue_directory", "/var/spool/postfix", "mail_queue_dir"), ("myhostname", "x.example.org", "mail_server_hostname"),
  ("smtpd_tls_cert_file", "/x", "mail_ssl_cert"), ("smtpd_tls_key_file", "/x", "mail_ssl_certkey"),
  ("disable_vrfy_command", "no", "mailbox"),
])
func aLineThatDefeatsAPromiseIsNamed(name: String, value: String, why: String) throws {
  let warning = try #require(warnings(name, value).first)
  #expect(warning.hasPrefix("mailhost.toml:3: \(name) = \(value): "))
  #expect(warning.contains(why))
}

@Test(arguments: [
  ("smtpd_relay_restrictions", "permit_mynetworks, reject_unauth_destination"), ("smtpd_relay_restrictions", "reject"),
  ("mynetworks", "127.0.0.1/32 [::1]/128 192.0.2.1, !192.0.2.9"), ("smtpd_forbid_bare_newline", "reject"),
  ("milter_default_action", "shutdown"), ("smtpd_tls_auth_only", "yes"), ("header_checks", "pcre:/etc/postfix/x"),
  ("virtual_alias_maps", "hash:/etc/postfix/virtual, sqlite:/etc/postfix/sqlite/aliases.cf"),
  ("smtpd_milters", "inet:127.0.0.1:11332, unix:/run/x"), ("smtpd_tls_security_level", "encrypt"),
])
func aLineThatKeepsThePromisesIsNot(name: String, value: String) {
  #expect(warnings(name, value).isEmpty)
}

/// The values that we write ourselves keep them all.
@Test(arguments: [DaemonVersions.debian12, .debian13])
func ourOwnValuesKeepThePromises(versions: DaemonVersions) throws {
  let instead: Set = ["queue_directory", "myhostname", "smtpd_tls_cert_file", "smtpd_tls_key_file"]
  let main = MainCF(try ourText("/etc/postfix/main.cf", on: versions)).values
  for (name, value) in main where !instead.contains(name) { #expect(warnings(name, value).isEmpty, "\(name)") }
  let master = MasterCF(try ourText("/etc/postfix/master.cf", on: versions))
  for name in ["submission", "submissions"] {
    let service = try #require(master.services[.init(name: name, type: "inet")])
    var own = HostSettings.Own()
    own.master = [name: service.options.map { ownLine($0.key, $0.value) }]
    #expect(Promises.warnings(own).isEmpty)
  }
  // What master.cf refers to is known as main.cf has it.
  for (name, value) in PromiseRules.ours { #expect(main[name] == value) }
}

@Test func theOptionsOfASubmissionPortAreLookedAt() {
  var own = HostSettings.Own()
  own.master = [
    "submission": [
      ownLine("smtpd_sender_restrictions", "$my_list", line: 8), ownLine("smtpd_tls_security_level", "may", line: 9),
      ownLine("smtpd_relay_restrictions", "$submission_relay_restrictions", line: 10),
    ]
  ]
  own.main = [ownLine("my_list", "permit", line: 2)]
  #expect(
    Promises.warnings(own).map(\.description) == [
      "mailhost.toml:8: submission: smtpd_sender_restrictions = $my_list: a user can send as another: it lacks "
        + "reject_sender_login_mismatch",
      "mailhost.toml:9: submission: smtpd_tls_security_level = may: mail and passwords may come in the clear",
    ])
  own.main = [ownLine("my_list", "reject_sender_login_mismatch", line: 2)]
  #expect(Promises.warnings(own).map(\.origin.line) == [9])
}

@Test func aServiceOfOnesOwnIsLookedAt() {
  var own = HostSettings.Own()
  own.master = [
    "2525": [
      ownLine("command", "inet n - y - - smtpd", line: 5), ownLine("smtpd_sasl_auth_enable", "yes", line: 6),
      ownLine("smtpd_milters", "", line: 7),
    ]
  ]
  #expect(Promises.warnings(own).map(\.origin.line) == [6, 7])
  own.master["2525", default: []].append(ownLine("smtpd_sender_restrictions", "reject_sender_login_mismatch", line: 8))
  #expect(Promises.warnings(own).map(\.origin.line) == [7])
}
