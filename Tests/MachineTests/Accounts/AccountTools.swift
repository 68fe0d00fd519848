import Foundation
import MachineKit
import Testing

/// Scripts for the tests of accounts, put into the guest beside those of ``GuestTools``.
enum AccountTools {
  static let database = "/vault/maildb/maildb.sqlite3"
  private static let machineTools = "/usr/local/lib/mailboot-machine"

  /// `imap-login USER PASSWORD`: exit 0 when dovecot accepts it, 3 when it refuses.
  private static let imapLogin = """
    #!/usr/bin/python3
    import imaplib, os, ssl, sys
    user, password = (os.fsencode(word) for word in sys.argv[1:])
    context = ssl.create_default_context(cafile="/usr/local/share/mailboot-machine/ca.pem")
    with imaplib.IMAP4_SSL("mail.example.org", 993, ssl_context=context, timeout=60) as imap:
        try:
            imap.authenticate("PLAIN", lambda _: b"\\0" + user + b"\\0" + password)
        except imaplib.IMAP4.error as error:
            if "AUTHENTICATIONFAILED" in str(error):
                sys.exit(3)
            raise

    """

  /// `old-script STATEMENT VALUE…`: one statement as the account script that mailcfg replaces runs it, without foreign keys.
  private static let oldScript = """
    #!/usr/bin/perl
    use strict; use warnings; use DBI;
    my $statement = shift;
    my $database = DBI->connect("dbi:SQLite:dbname=\(database)", "", "", { RaiseError => 1, PrintError => 0 });
    print $database->do($statement, undef, @ARGV) + 0, "\\n";

    """

  /// `ask-recipients SECONDS FILE`: asks one smtpd after the other for alice, as fast as they answer, until FILE is there, and at most
  /// that long. Prints how many asked, and every answer but 250.
  private static let askRecipients = """
    #!/usr/bin/python3
    import os, smtplib, sys, time
    end = time.monotonic() + float(sys.argv[1])
    asked = 0
    while time.monotonic() < end and not os.path.exists(sys.argv[2]):
        try:
            with smtplib.SMTP("127.0.0.1", 25, timeout=30) as smtp:
                smtp.ehlo("client.example.com")
                for turn in range(20):
                    smtp.mail("carol@example.com")
                    code, text = smtp.rcpt("alice@example.org")
                    asked += 1
                    if code != 250:
                        print("answer", code, text.decode())
                    smtp.rset()
        except (smtplib.SMTPException, OSError) as error:
            asked += 1
            print("failure", error)
    print("asked", asked)

    """

  /// `ask-dovecot SECONDS FILE`: the same for logins.
  private static let askDovecot = """
    #!/bin/bash
    asked=0
    while [ "$SECONDS" -lt "$1" ] && [ ! -e "$2" ]; do
      doveadm auth test alice@example.org secret-alice >/run/auth-test 2>&1 || { echo "failure $(cat /run/auth-test)"; }
      asked=$((asked + 1))
    done
    echo "asked $asked"

    """

  /// `make-users NUMBER`: an import of users with ready hashes, all different.
  private static let makeUsers = """
    #!/bin/bash
    awk -v number="$1" 'BEGIN {
      print "{\\"schema\\": 1, \\"domains\\": [{\\"name\\": \\"many.example\\"}], \\"users\\": ["
      for (i = 1; i <= number; i++)
        printf "%s{\\"email\\": \\"user%06d@many.example\\", \\"password\\": \\"$6$%08dabcdefgh$%086d\\"}\\n", (i > 1 ? "," : ""), (i * 7919) % number, i, i
      print "]}"
    }'

    """

  static let all = [
    "imap-login": imapLogin, "old-script": oldScript, "ask-recipients": askRecipients, "ask-dovecot": askDovecot,
    "make-users": makeUsers,
  ]

  /// Runs a test on an unlocked host with these scripts.
  static func withReadyHost(_ release: Release, _ test: @Sendable (AccountHost) async throws -> Void) async throws {
    try await MailHosts.with(release) { host in
      let accounts = AccountHost(machine: host.machine)
      for (name, text) in all {
        try await host.machine.put("/usr/local/sbin/" + name, Data(text.utf8), mode: 0o755)
      }
      // Before the vault is open nobody writes into the empty directory.
      let locked = try await host.machine.run("mailcfg adddom example.com")
      #expect(locked.status == 1)
      #expect(locked.stderr.contains("error: /vault is not mounted"), "\(locked.stderr)")
      #expect(locked.stderr.contains("hint: ") && locked.stderr.contains("mailboot"), "\(locked.stderr)")
      let unlock = try await host.unlock()
      try #require(unlock.status == 0, "\(unlock.stderr)")
      try await test(accounts)
    }
  }
}

/// A host whose vault is open and whose services answer.
struct AccountHost: Sendable {
  let machine: Machine

  /// Runs `mailcfg`, and returns what it says on standard output without the last newline.
  @discardableResult
  func mailcfg(_ arguments: String, stdin: String? = nil, status: Int = 0) async throws -> String {
    let output = try await machine.run("mailcfg \(arguments)", stdin: stdin.map { Data($0.utf8) })
    #expect(Int(output.status) == status, "mailcfg \(arguments): \(output.stdout)\(output.stderr)")
    return output.stdout.trimmingCharacters(in: .newlines)
  }

  /// Whether dovecot lets the user in.
  func logsIn(_ user: String, _ password: String) async throws -> Bool {
    let output = try await machine.run("imap-login \(GuestTools.quoted(user)) \(GuestTools.quoted(password))")
    try #require(output.status == 0 || output.status == 3, "\(output.stderr)")
    return output.status == 0
  }

  /// Hands a mail to postfix.
  /// - Returns: nil when it was accepted, else what the client said.
  func send(_ subject: String, to address: String, as login: (String, String)? = nil) async throws -> String? {
    let options = login.map { " --as \(GuestTools.quoted($0.0)) \(GuestTools.quoted($0.1))" } ?? ""
    let output = try await machine.run(
      "/usr/local/lib/mailboot-machine/send-mail \(subject) --to \(GuestTools.quoted(address))\(options)")
    return output.status == 0 ? nil : output.stderr
  }

  /// Whether the mail arrives in the user's inbox.
  func arrives(_ subject: String, for user: String, _ password: String, within seconds: Int = 60) async throws -> Bool {
    let command =
      "/usr/local/lib/mailboot-machine/read-mail \(subject) --user \(GuestTools.quoted(user)) \(GuestTools.quoted(password))"
    // The first mail makes the mailbox: dovecot may answer NO to a client that comes meanwhile.
    return try await machine.run(
      "for try in 1 2 3; do \(command) --wait \(seconds) >/dev/null && exit 0; sleep 2; done; exit 1",
      timeout: .seconds(seconds * 3 + 120)
    ).status == 0
  }
}
