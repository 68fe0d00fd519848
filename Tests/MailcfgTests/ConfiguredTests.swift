import Foundation
import TestSupport
import Testing

/// Calls that read the configuration, with `mailboot` where it is installed: in a mount namespace of their own.
struct ConfiguredTests {
  /// Runs the lines of a script in which `$M` is mailcfg, `$D` the test's directory, and `$D/vault` the configured mount point.
  private func run(_ script: String, _ mailcfg: Mailcfg) throws -> Mailcfg.Run {
    let directory = mailcfg.directory
    try """
    [vault]
    mount = "\(directory)/vault"
    [verify]
    database = "\(directory)/vault/maildb.sqlite3"
    [accounts]
    scheme = "SHA512-CRYPT"
    spool = "\(directory)/vault/vmail"
    sieve = "\(directory)/vault/sieve"
    owner = "root"
    """.write(toFile: directory + "/mailboot.toml", atomically: true, encoding: .utf8)
    let preparation = """
      M=$0 D=$1
      mkdir "$D/vault" "$D/layers" && mount -t tmpfs none "$D/layers" || exit 99
      over() {
        mkdir -p "$D/layers/$1/work" "$D/layers/$1/upper"
        mount -t overlay overlay -o "lowerdir=/usr/$1,upperdir=$D/layers/$1/upper,workdir=$D/layers/$1/work" "/usr/$1" || exit 99
      }
      over sbin
      cp "$2" /usr/sbin/mailboot || exit 99
      vault() { mount -t tmpfs none "$D/vault" && mkdir "$D/vault/vmail" "$D/vault/sieve"; }

      """
    let mailboot = try builtProgram("mailboot")
    return try mailcfg.run(
      "/usr/bin/unshare",
      (geteuid() == 0 ? ["-m"] : ["-rm"]) + ["sh", "-c", preparation + script, try Mailcfg.path, directory, mailboot])
  }

  @Test func theConfiguredMountMustBeMounted() throws {
    let mailcfg = try Mailcfg()
    let run = try run(#""$M" adddom example.org --config "$D/mailboot.toml""#, mailcfg)
    #expect(run.status == 1 && run.complaint.hasPrefix("error: \(mailcfg.directory)/vault is not mounted\n"))
    #expect(try FileManager.default.contentsOfDirectory(atPath: mailcfg.directory + "/vault") == [])
  }

  @Test func aFirstDomainMakesTheDatabaseAndItsDirectories() throws {
    let mailcfg = try Mailcfg()
    let run = try run(
      """
      vault
      "$M" adddom example.org --config "$D/mailboot.toml" || exit
      echo secret | "$M" --config "$D/mailboot.toml" adduser ann@example.org --stdin || exit
      cd "$D/vault" && stat -c '%n %A %U %G' maildb.sqlite3 vmail/example.org sieve/example.org
      sqlite3 maildb.sqlite3 'SELECT substr(password, 1, 14) FROM users'
      """, mailcfg)
    #expect(
      run.status == 0
        && run.complaint.hasPrefix("warning: made a new database, \(mailcfg.directory)/vault/maildb.sqlite3\n"))
    #expect(run.complaint.split(separator: "\n").count == 1, "\(run.complaint)")
    #expect(
      run.lines == [
        "added domain", "added user", "maildb.sqlite3 -rw-r----- root root", "vmail/example.org drwxrwx--- root root",
        "sieve/example.org drwxrwx--- root root", "{SHA512-CRYPT}",
      ])
  }

  @Test func removedMailIsMovedAside() throws {
    let run = try run(
      """
      vault
      cp "$D/maildb.sqlite3" "$D/vault"
      mkdir -p "$D/vault/vmail/example.org/joe/cur" && echo mail > "$D/vault/vmail/example.org/joe/cur/1"
      "$M" rmuser joe@example.org --purge-mail --config "$D/mailboot.toml" || exit
      cd "$D/vault/vmail" && ls example.org && cat .removed/*/example.org/joe/cur/1
      """, try Mailcfg())
    #expect(run.status == 0 && run.lines == ["deleted user", "mail"])
    #expect(run.complaint.hasPrefix("the mail is now in "))
  }

  /// As after an interruption between the database and the mail.
  @Test func mailThatWasLeftBehindCanStillBeMovedAside() throws {
    let run = try run(
      """
      vault
      cp "$D/maildb.sqlite3" "$D/vault"
      mkdir -p "$D/vault/vmail/example.org/joe"
      "$M" rmuser joe@example.org --config "$D/mailboot.toml" || exit
      "$M" rmuser joe@example.org --purge-mail --config "$D/mailboot.toml" || exit
      cd "$D/vault/vmail" && ls example.org .removed/*/example.org
      "$M" rmuser joe@example.org --purge-mail --config "$D/mailboot.toml"
      """, try Mailcfg())
    #expect(run.status == 1 && run.lines.first == "deleted user" && run.lines.contains("joe"), "\(run)")
    #expect(run.complaint.contains("it was removed before; the mail is now in "))
  }

  @Test func mailIsMovedAsideOnlyToWhereNobodyElseLooks() throws {
    let run = try run(
      """
      vault
      cp "$D/maildb.sqlite3" "$D/vault"
      mkdir -p -m 777 "$D/vault/vmail/example.org/joe" "$D/vault/vmail/.removed"
      "$M" rmuser joe@example.org --purge-mail --config "$D/mailboot.toml"
      """, try Mailcfg())
    #expect(run.status == 1 && run.complaint.contains(".removed is there already, and not for"), "\(run.complaint)")
  }

  @Test func aDirectoryThatWasHalfMadeIsGivenToTheMailUser() throws {
    let run = try run(
      """
      vault
      mkdir -m 700 "$D/vault/vmail/example.org" && mkdir -m 750 "$D/vault/sieve/example.org"
      "$M" adddom example.org --config "$D/mailboot.toml" || exit
      cd "$D/vault" && stat -c '%n %A' vmail/example.org sieve/example.org
      """, try Mailcfg())
    #expect(run.lines == ["added domain", "vmail/example.org drwxrwx---", "sieve/example.org drwxr-x---"])
  }

  @Test func postfixIsAskedWhichAddressesItKnows() throws {
    let mailcfg = try Mailcfg(
      """
      INSERT INTO aliases VALUES (1, 1, 'a@example.org', 'joe-news@example.org'), (2, 1, 'b@example.org', 'joe+news@example.org'),
        (3, 1, 'postmaster@example.org', 'joe@example.org'), (4, 1, 'abuse@example.org', 'joe@example.org');
      """)
    let run = try run(
      #"""
      printf '#!/bin/sh\necho "recipient_delimiter = -"\necho "mydestination = mail.example.net, hash:/etc/x localhost"\n' \
        > /usr/sbin/postconf
      chmod 755 /usr/sbin/postconf
      "$M" addalias root@example.org Root@LocalHost --db "$D/maildb.sqlite3" || exit
      "$M" addalias root@example.org root@elsewhere --db "$D/maildb.sqlite3" && exit 9
      "$M" check --format tsv --db "$D/maildb.sqlite3" | cut -f 2,3 | grep -v -e mode -e password
      """#, mailcfg)
    #expect(run.lines == ["added alias", "dead-end\tb@example.org"], "\(run)")
  }

  @Test func anErrorInTheConfigurationIsPassedOn() throws {
    let run = try run(
      #"printf '[vault]\nmont = 1\n' > "$D/bad.toml"; "$M" lsdom --config "$D/bad.toml""#, try Mailcfg())
    #expect(
      run.status == 78 && run.output == "" && run.complaint.contains("bad.toml:2:1: vault.mont is not a known key"))
  }

  /// The program in dovecot's place knows less than any real one, which would refuse nothing.
  @Test func aSchemeThatDovecotDoesNotKnowIsRefused() throws {
    let mailcfg = try Mailcfg()
    let before = try mailcfg.bytes()
    let run = try run(
      """
      over bin
      printf '#!/bin/sh\\n[ "$1 $2" = "pw -l" ] && echo MD5 PLAIN SHA512-CRYPT\\n' > /usr/bin/doveadm
      chmod 755 /usr/bin/doveadm
      "$M" passwd joe@example.org --generate --scheme SHA512-CRYPT --dry-run --db "$D/maildb.sqlite3" || exit
      "$M" passwd joe@example.org --generate --scheme ARGON2ID --db "$D/maildb.sqlite3"
      """, mailcfg)
    #expect(run.status == 1 && run.lines == ["~ user joe@example.org: password"])
    #expect(run.complaint.contains("does not know ARGON2ID") && run.complaint.contains("one of SHA512-CRYPT"))
    #expect(try mailcfg.bytes() == before)
  }

  @Test func whoMayNotChangeTheDatabaseIsToldSo() throws {
    let run = try run(
      """
      chmod 755 "$D" && chmod 640 "$D/maildb.sqlite3"
      as_nobody() { setpriv --reuid 65534 --regid 65534 --clear-groups "$M" "$@" --db "$D/maildb.sqlite3"; echo "$?"; }
      as_nobody lsdom
      chmod 644 "$D/maildb.sqlite3"
      as_nobody lsdom
      as_nobody adddom example.net
      """, try Mailcfg())
    #expect(run.lines == ["77", "example.org (id 1)", "0", "77"])
    #expect(run.complaint.contains("hint: try `sudo mailcfg …`"))
  }
}
