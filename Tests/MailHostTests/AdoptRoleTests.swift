import MailbootCore
import TestSupport
import Testing

@testable import MailHost

private let everybody = """
  ---
  domain: example.org
  admin_email: "alice@{{ domain }}"
  mail_domains:
    - "{{ domain }}"
    - example.net
  mail_users:
    - { email: "{{ admin_email }}", pw: "{{ vault_alice }}" }
    - email: "relay@{{ domain }}"
      pw: !vault |
        $ANSIBLE_VAULT;1.1;AES256
        6162
  mail_aliases:
    - { src: "info@{{ domain }}", dst: "{{ admin_email }}" }
  friendly_networks: [ 192.0.2.0/24, "2001:db8::/48" ]
  cryptdir_pw: "{{ vault_cryptdir }}"
  timezone: Etc/UTC
  """

private let host = """
  cryptdir_root: /vault
  cryptdir_type: luks
  mail_spool_root: "{{ cryptdir_root }}/vmail"
  mail_db_root: "{{ cryptdir_root ~ '/maildb' }}"
  mail_queue_dir: "{{ (cryptdir_root + '/postfix') if cryptdir_type == 'luks' else '/var/spool/postfix' }}"
  redis_dbdir: "{{ redis_elsewhere | default('/vault/redis', true) }}"
  redis_maxmen: 256MB
  redis_maxmen_policy: noeviction
  dkim_selector: 202601
  spam_per_user_bayes: no
  mail_services_bootstart: "{{ cryptdir_type == 'none' }}"
  """

private func adopt(_ texts: String..., ranks: [Int] = [0, 1, 2, 3]) throws -> Adoption {
  try Adoption(variables: texts.enumerated().map { ("\($0).yml", $1, ranks[$0]) })
}

private let somewhere = Origin(file: "0.yml", line: 0, column: 0)

@Test func theVariablesOfAHostBecomeItsSettings() throws {
  let adoption = try adopt(everybody, host)
  let settings = try adoption.settings(somewhere)
  #expect(settings.hostName == "mail.example.org")
  #expect(settings.administrator == "alice@example.org")
  #expect(settings.domains == ["example.org", "example.net"])
  #expect(settings.users == [.init(email: "alice@example.org"), .init(email: "relay@example.org")])
  #expect(settings.aliases == [.init(source: "info@example.org", destination: "alice@example.org")])
  #expect(settings.friendlyNetworks == ["192.0.2.0/24", "2001:db8::/48"])
  #expect(settings.vault == "/vault" && settings.vaultType == "luks")
  #expect(settings.spool == "/vault/vmail" && settings.database == "/vault/maildb/maildb.sqlite3")
  #expect(settings.queue == "/vault/postfix" && settings.redisDirectory == "/vault/redis")
  #expect(settings.redisMemory == "256mb" && settings.redisPolicy == "noeviction")
  #expect(settings.selector == "202601" && !settings.perUserBayes)
  // What the role has by default, and we do not.
  #expect(settings.sieve == "/var/sieve" && settings.dkim == "/var/dkim")
  #expect(adoption.missing.isEmpty)
  #expect(adoption.ignored.map(\.name) == ["mail_services_bootstart", "timezone"])
}

@Test func noSecretIsTakenOver() throws {
  let plain = "vault_alice: hunter2\nwww_acct_sshkey: hunter2\nmail_users: [{ email: a@example.org, pw: hunter2 }]\n"
  let adoption = try adopt(everybody, "$ANSIBLE_VAULT;1.1;AES256\n6162\n", plain)
  #expect(
    adoption.secrets.map(\.name) == ["1.yml", "mail_users[1].pw", "cryptdir_pw", "vault_alice", "www_acct_sshkey"])
  #expect(!"\(adoption)".contains("hunter2") && !adoption.toml.contains("hunter2"))
  let encrypted = try adopt(everybody).secrets.map(\.name)
  #expect(encrypted == ["mail_users[1].pw", "mail_users[2].pw", "cryptdir_pw"])
}

@Test func theFileSaysWhereEachValueIsFrom() throws {
  let directory = try TemporaryDirectory()
  let adoption = try adopt(everybody, host)
  let text = adoption.toml
  #expect(text.contains("# From dkim_selector in 1.yml:9.\ndkim_selector = \"202601\"\n"))
  #expect(text.contains("# From the role's default.\nmail_sieve_root = \"/var/sieve\"\n"))
  // Read as the program reads it, it is the same.
  let file = try directory.write("mailhost.toml", text)
  #expect(try settings(of: file) == adoption.settings(somewhere))
}

@Test func theMissingIsNamedAndHasAPlaceInTheFile() throws {
  let adoption = try adopt(host)
  #expect(adoption.missing.map(\.name) == ["mail_server_hostname", "admin_email"])
  #expect(adoption.toml.contains("\n# admin_email = \n"))
  #expect(throws: ConfigurationError.self) { try adoption.settings(somewhere) }
  #expect(try adoption.completed.settings(somewhere).selector == "202601")
}

@Test(arguments: [
  ("{{ nobody }}/x", "nobody is not set"), ("{{ mail_db_root }}", "mail_db_root needs itself"),
  ("{{ other }}", "mail_db_root needs itself"), ("{% if x %}y{% endif %}", "it is a program ({% … %})"),
  ("{{ lookup('env', 'X') }}", "{{ lookup('env', 'X') }} is not understood"), ("{{ domain", "it has {{ without }}"),
  ("{{ domain | ipaddr }}", "the filter ipaddr is not understood"), ("{{ 'a' if }}", "{{ 'a' if }} is not understood"),
  ("x{{ many }}", "{{ many }} is no text"),
])
func whatIsNotUnderstoodIsListed(expression: String, reason: String) throws {
  let text = everybody + "\nother: \"{{ mail_db_root }}\"\nmany: [1]\nmail_db_root: \"\(expression)\"\n"
  let adoption = try adopt(text)
  let note = try #require(adoption.ignored.first { $0.name == "mail_db_root" })
  #expect(note.reason == reason && note.source == "0.yml:20")
}

@Test func aValueThatHangsOnASecretIsASecret() throws {
  let adoption = try adopt(
    everybody + "\nmail_db_name: \"{{ vault_name }}\"\nmail_db_root: \"{{ inner }}\"\ninner: !vault x\n")
  #expect(
    adoption.secrets.map(\.name).contains("mail_db_name") && adoption.secrets.map(\.name).contains("mail_db_root"))
  #expect(!adoption.found.contains { $0.key == "mail_db_root" || $0.key == "mail_db_name" })
}

@Test func theHigherRankWinsAndEqualsAreAsked() throws {
  let spool = "mail_spool_root: /srv/a\n"
  let other = "\nmail_spool_root: /srv/b\n"
  #expect(try adopt(everybody, spool, other).settings(somewhere).spool == "/srv/b")
  #expect(try adopt(everybody, spool, other, ranks: [0, 2, 1]).settings(somewhere).spool == "/srv/a")
  #expect(try adopt(everybody, spool, "\n" + spool, ranks: [0, 1, 1]).settings(somewhere).spool == "/srv/a")
  let error = try #require(throws: ConfigurationError.self) { try adopt(everybody, spool, other, ranks: [0, 1, 1]) }
  let issue = try #require(error.issues.first)
  #expect(issue.origin == Origin(file: "2.yml", line: 2, column: 18))
  #expect(issue.message.contains("1.yml:1") && issue.key == "mail_spool_root")
  // Of what is not needed, nobody is asked.
  #expect(throws: Never.self) { try adopt(everybody, "x: 1\n", "x: 2\n", ranks: [0, 1, 1]) }
}

@Test(arguments: [
  ("friendly_networks: [192.0.2.0/24, 192.0.2.0/33]", 1, 35), ("friendly_networks: 192.0.2.0/24", 1, 20),
  ("mail_spool_root: [a]", 1, 18), ("spam_per_user_bayes: perhaps", 1, 22), ("mail_users: [{ pw: x }]", 1, 14),
  ("mail_aliases:\n  - src: a@example.org", 2, 5), ("mail_spool_root: relative", 1, 18),
  ("mail_users:\n  - email: nobody", 2, 12), ("cryptdir_type: tape", 1, 16), ("redis_maxmem: much", 1, 15),
])
func aValueOfTheWrongKindIsNamedWithItsPlace(text: String, line: Int, column: Int) throws {
  let error = try #require(throws: ConfigurationError.self) { try adopt(everybody, text).settings(somewhere) }
  #expect(error.issues.map(\.origin) == [Origin(file: "1.yml", line: line, column: column)])
}

@Test func withoutAVaultThereIsNone() throws {
  let settings = try adopt("admin_email: a@example.org\ndomain: example.org\n").settings(somewhere)
  #expect(settings.vaultType == "none" && settings.queue == "/var/spool/postfix" && settings.selector == nil)
  #expect(settings.perUserBayes && settings.redisMemory == "500mb")
  let encfs = try adopt(everybody, "cryptdir_type: encfs\n")
  #expect(encfs.ignored.first?.reason == "EncFS is not supported: move to gocryptfs or LUKS")
}

@Test func anEmptyFilterIsNone() throws {
  let settings = try adopt(everybody, "spam_filter:\ndkim_selector_next: ''\n").settings(somewhere)
  #expect(!settings.spamFilter && settings.nextSelector == nil)
}
