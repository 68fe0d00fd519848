/// Scripts for the tests of accounts, put into the guest beside those of ``GuestTools``.
public enum AccountTools {
  public static let database = "/vault/maildb/maildb.sqlite3"

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
      doveadm auth test alice@example.org secret-alice >/run/auth-test 2>&1 ||
        echo "failure $(tr '\\n' ' ' </run/auth-test)"
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

  public static let all = [
    "imap-login": imapLogin, "old-script": oldScript, "ask-recipients": askRecipients, "ask-dovecot": askDovecot,
    "make-users": makeUsers,
  ]
}
