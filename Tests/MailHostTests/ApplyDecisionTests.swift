import Foundation
import Testing

/// Files that somebody has edited, and what keeps `apply` from beginning.
struct ApplyDecisionTests {
  private let main = "/etc/postfix/main.cf"

  private func edited() throws -> HostTree {
    let tree = try HostTree()
    try tree.mailhost(["apply"])
    try tree.write(main, (tree.text(main) ?? "") + "smtpd_client_connection_rate_limit = 20\n")
    return tree
  }

  @Test func anEditedFileIsAskedAboutWithThreeWaysOn() throws {
    let tree = try edited()
    let before = tree.configuration()
    for verb in ["plan", "apply"] {
      let outcome = try tree.mailhost([verb])
      #expect(outcome.status == 2)
      #expect(outcome.output.contains("decide  file \(main) (was edited since we wrote it)\n"))
      #expect(outcome.output.contains("-smtpd_client_connection_rate_limit = 20\n"))
      for way in ["--adopt", "--keep", "--overwrite"] {
        #expect(outcome.output.contains("  mailhost apply \(way) \(main) "))
      }
    }
    #expect(tree.configuration() == before)
  }

  @Test func adoptedLinesComeFromTheSettingsAfterwards() throws {
    let tree = try edited()
    let applied = try tree.mailhost(["apply", "--adopt", main])
    #expect(applied.status == 0, "\(applied)")
    #expect(
      tree.text("/etc/mailboot/mailhost.toml.d/90-adopted.toml")?.contains("smtpd_client_connection_rate_limit = ")
        == true)
    #expect(tree.text(main)?.contains("is your own") == true)
    #expect(tree.text(main)?.contains("\nsmtpd_client_connection_rate_limit = 20\n") == true)
    #expect(try tree.mailhost(["plan"]).status == 0)
  }

  @Test func aKeptFileStaysAndIsNamedInEachPlan() throws {
    let tree = try edited()
    let text = tree.text(main)
    try tree.settings("message_size_limit = 1000000\nquota = \"1G\"")
    #expect(try tree.mailhost(["apply", "--keep", main]).status == 0)
    #expect(tree.text(main) == text)
    #expect(tree.text("/etc/dovecot/dovecot.conf")?.contains("quota_rule = *:storage=1G") == true)
    let plan = try tree.mailhost(["plan", "--short"])
    #expect(plan.status == 0)
    #expect(plan.output == "keep    file \(main) (stays as you have it)\nnothing to do\n")
    // Until it is wanted otherwise.
    #expect(try tree.mailhost(["apply", "--overwrite", main]).status == 0)
    #expect(tree.text(main)?.contains("message_size_limit = 1000000") == true)
    #expect(try tree.mailhost(["plan"]).output == "nothing to do\n")
  }

  @Test func anOverwrittenFileIsInTheHistory() throws {
    let tree = try edited()
    let edited = tree.text(main)
    #expect(try tree.mailhost(["apply", "--overwrite", main]).status == 0)
    #expect(tree.text(main)?.contains("connection_rate_limit") == false)
    #expect(tree.text("/var/lib/mailhost/generations/2/before\(main)") == edited)
  }

  /// A filter in the vault, edited or from before us.
  @Test(arguments: [true, false]) func aFilterOfSomebodyElsesIsNeverReplacedUnasked(isOurs: Bool) throws {
    let tree = try HostTree()
    if isOurs { try tree.mailhost(["apply"]) }
    let filter = "/vault/sieve/before.d/separate_spam.sieve"
    try tree.write(filter, "keep;\n")
    let reason = isOurs ? "was edited since we wrote it" : "is not ours"
    let applied = try tree.mailhost(["apply"])
    #expect(applied.status == 2)
    #expect(applied.output.contains("decide  filter \(filter) (\(reason))\n"), "\(applied)")
    #expect(tree.text(filter) == "keep;\n")
    #expect(try tree.mailhost(["apply", "--keep", filter]).status == 0)
    #expect(tree.text(filter) == "keep;\n")
    #expect(try tree.mailhost(["plan", "--short"]).output.contains("keep    filter \(filter)"))
    #expect(try tree.mailhost(["apply", "--overwrite", filter]).status == 0)
    #expect(tree.text(filter)?.contains("X-Spam") == true)
    #expect(tree.text("/var/lib/mailhost/vault-before\(filter)") == "keep;\n")
    #expect(try tree.mailhost(["plan"]).output == "nothing to do\n")
  }

  @Test func aForeignConfigurationIsNeverReplacedUnasked() throws {
    let tree = try HostTree()
    try tree.write(
      main, "myhostname = mail.other.example\nrelayhost = [smarthost.example]\nsmtpd_milters = inet:localhost:8891\n")
    let before = tree.configuration()
    let applied = try tree.mailhost(["apply"])
    #expect(applied.status == 2)
    #expect(applied.output.contains("decide  file \(main) (is not ours)\n"))
    #expect(tree.configuration() == before)
  }

  @Test func theFileThatAPackageBringsIsReplaced() throws {
    let tree = try HostTree()
    // As postfix's script writes it for "Local only" on Debian 12.
    try tree.write(
      main,
      """
      # See /usr/share/postfix/main.cf.dist for a commented, more complete version


      # Debian specific:  Specifying a file name will cause the first
      # line of that file to be used as the name.  The Debian default
      # is /etc/mailname.
      #myorigin = /etc/mailname

      smtpd_banner = $myhostname ESMTP $mail_name (Debian/GNU)
      biff = no

      # appending .domain is the MUA's job.
      append_dot_mydomain = no

      # Uncomment the next line to generate "delayed mail" warnings
      #delay_warning_time = 4h

      readme_directory = no

      # See http://www.postfix.org/COMPATIBILITY_README.html -- default to 3.6 on
      # fresh installs.
      compatibility_level = 3.6



      # TLS parameters
      smtpd_tls_cert_file=/etc/ssl/certs/ssl-cert-snakeoil.pem
      smtpd_tls_key_file=/etc/ssl/private/ssl-cert-snakeoil.key
      smtpd_tls_security_level=may

      smtp_tls_CApath=/etc/ssl/certs
      smtp_tls_security_level=may
      smtp_tls_session_cache_database = btree:${data_directory}/smtp_scache


      smtpd_relay_restrictions = permit_mynetworks permit_sasl_authenticated defer_unauth_destination
      myhostname = mail.example.org
      alias_maps = hash:/etc/aliases
      alias_database = hash:/etc/aliases
      mydestination = $myhostname, mail.example.org, localhost.example.org, localhost
      relayhost =
      mynetworks = 127.0.0.0/8 [::ffff:127.0.0.0]/104 [::1]/128
      mailbox_size_limit = 0
      recipient_delimiter = +
      inet_interfaces = loopback-only
      default_transport = error
      relay_transport = error
      inet_protocols = all

      """)
    let applied = try tree.mailhost(["apply"])
    #expect(applied.status == 0, "\(applied)")
  }

  @Test func aCertificateThatIsNotThereIsToldBeforeAnythingChanges() throws {
    let tree = try HostTree()
    try FileManager.default.removeItem(atPath: tree.path + "/etc/letsencrypt")
    let before = tree.configuration()
    let applied = try tree.mailhost(["apply"])
    #expect(applied.status == 1)
    #expect(applied.errors.contains("error: /etc/letsencrypt/live/mail.example.org/fullchain.pem is not there"))
    #expect(applied.errors.contains("hint: nothing was changed; a certificate for this host: `certbot certonly"))
    #expect(tree.configuration() == before)
  }

  @Test func anErrorInTheSettingsIsToldWithItsPlace() throws {
    let tree = try HostTree()
    try tree.settings("messsage_size_limit = 1000000")
    let applied = try tree.mailhost(["apply"])
    #expect(applied.status == 78)
    #expect(
      applied.errors.contains(
        "mailhost.toml:6:1: messsage_size_limit is not a known key; did you mean \"message_size_limit\"?"))
  }

  @Test func oneCallAtATimeChangesTheHost() throws {
    let tree = try HostTree()
    let lock = open(tree.path + "/var/lib/mailhost.lock", O_RDWR | O_CREAT, 0o600)
    defer { close(lock) }
    #expect(flock(lock, LOCK_EX) == 0)
    let applied = try tree.mailhost(["apply"])
    #expect(applied.status == 1)
    #expect(applied.errors.hasPrefix("error: another mailhost is at work\n"))
  }
}
