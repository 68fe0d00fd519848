import MachineKit
import SceneSupport
import Testing

/// A host that was not made for `mailboot`: how its administrator has set it up. Everything that is changed starts from the tree's own
/// layout, mailboxes and passwords stay.
struct AdoptedHost: Sendable, CustomTestStringConvertible {
  let testDescription: String
  /// In the vault's top directory.
  let vault: String
  /// On the host, while the vault is locked; `$RELEASE` is 12 or 13.
  let host: String
  /// The whole of its `mailboot.toml`.
  let toml: String

  func make(_ machine: MailHost) async throws {
    try await machine.changeVault("set -e; " + vault)
    try await machine.guest.succeed("set -e; RELEASE=\(machine.release.rawValue)\n" + host)
    try await machine.configure(toml)
  }

  /// Brings it up, has it deliver and sign mail, and locks it.
  func walk(_ machine: MailHost) async throws -> Attempt {
    let unlock = try await machine.unlock()
    unlock.expectSuccess("ready in ")
    let status = try await machine.guest.run("mailboot status")
    #expect(status.status == 0, "\(status.stdout)")
    let tools = "/usr/local/lib/mailboot-machine"
    try await machine.guest.succeed(
      "\(tools)/send-mail adopted && \(tools)/read-mail adopted --wait 60", timeout: .seconds(120))
    let signed = try await machine.guest.succeed(
      """
      \(tools)/send-mail signed --to bob@example.org --as alice@example.org secret-alice &&
        \(tools)/read-mail signed --user bob@example.org secret-bob --wait 60
      """, timeout: .seconds(120))
    #expect(signed.contains("DKIM-Signature:"), "\(signed)")
    let lock = try await machine.attempt("mailboot lock")
    lock.expectSuccess("locked")
    return unlock
  }
}

extension AdoptedHost {
  /// The tree's dovecot reads its accounts there instead: `dovecot_accounts PATH QUERY`.
  static let dovecotAccounts = """
    dovecot_accounts() {
      if [ "$RELEASE" = 12 ]; then
        printf '%s\n' 'driver = sqlite' "connect = $1" 'default_pass_scheme = SHA512-CRYPT' "password_query = $2" \
          >/etc/dovecot/dovecot-sql.conf.ext
      else
        sed -i -e "s|^sqlite_path = .*|sqlite_path = $1|" -e "s|^  query = .*|  query = ${2//%u/%\\{user\\}}|" /etc/dovecot/dovecot.conf
      fi
    }
    table() { printf 'dbpath = %s\nquery = %s\n' "$DATABASE" "$2" >"/etc/postfix/$1.cf"; }
    # Nothing of it asks the tree's own database any more.
    postconf -e 'submission_recipient_restrictions = permit_sasl_authenticated, reject'

    """

  /// The tables of the ISPmail guide (workaround.org), in SQLite: aliases, and behind them each mailbox mapped to itself.
  static let ispmail = AdoptedHost(
    testDescription: "ISPmail with SQLite",
    vault: """
      sqlite3 -bail mailserver.sqlite3 <<'END'
      ATTACH 'maildb/maildb.sqlite3' AS old;
      CREATE TABLE virtual_domains(id INTEGER PRIMARY KEY, name TEXT NOT NULL);
      CREATE TABLE virtual_users(id INTEGER PRIMARY KEY, domain_id INTEGER NOT NULL, email TEXT NOT NULL UNIQUE,
        password TEXT NOT NULL, quota INTEGER NOT NULL DEFAULT 0,
        FOREIGN KEY(domain_id) REFERENCES virtual_domains(id) ON DELETE CASCADE);
      CREATE TABLE virtual_aliases(id INTEGER PRIMARY KEY, domain_id INTEGER NOT NULL, source TEXT NOT NULL,
        destination TEXT NOT NULL, FOREIGN KEY(domain_id) REFERENCES virtual_domains(id) ON DELETE CASCADE);
      INSERT INTO virtual_domains SELECT id, name FROM old.domains;
      INSERT INTO virtual_users(domain_id, email, password) SELECT domain_id, email, password FROM old.users;
      INSERT INTO virtual_aliases(domain_id, source, destination) SELECT domain_id, src, dst FROM old.aliases;
      END
      chown vmail:vmail mailserver.sqlite3; chmod 0640 mailserver.sqlite3
      rm -r maildb
      mv dkim rspamd-keys; rm rspamd-keys/*.txt
      """,
    host: dovecotAccounts + """
      DATABASE=/vault/mailserver.sqlite3
      table sqlite-virtual-mailbox-domains "SELECT 1 FROM virtual_domains WHERE name='%s'"
      table sqlite-virtual-mailbox-maps "SELECT 1 FROM virtual_users WHERE email='%s'"
      table sqlite-virtual-alias-maps "SELECT destination FROM virtual_aliases WHERE source='%s'"
      table sqlite-email2email "SELECT email FROM virtual_users WHERE email='%s'"
      p=sqlite:/etc/postfix/sqlite
      postconf -e virtual_mailbox_domains=$p-virtual-mailbox-domains.cf virtual_mailbox_maps=$p-virtual-mailbox-maps.cf \
        "virtual_alias_maps=$p-virtual-alias-maps.cf,$p-email2email.cf" smtpd_sender_login_maps=$p-email2email.cf
      dovecot_accounts $DATABASE "SELECT email AS user, password FROM virtual_users WHERE email='%u'"
      printf 'path = "/vault/rspamd-keys/$domain.$selector.key";\nselector_map = "/etc/rspamd/dkim_selectors.map";\n' \
        >/etc/rspamd/local.d/dkim_signing.conf
      printf 'example.org 202001\nexample.net 202001\n' >/etc/rspamd/dkim_selectors.map
      """,
    toml: "")

  /// PostfixAdmin's tables and queries (POSTFIX_CONF.txt), in SQLite: each mailbox has an alias to itself, and alias domains come last.
  static let postfixAdmin = AdoptedHost(
    testDescription: "PostfixAdmin with SQLite",
    vault: """
      mkdir -m 0770 postfixadmin; chown www-data:vmail postfixadmin
      sqlite3 -bail postfixadmin/postfixadmin.db <<'END'
      ATTACH 'maildb/maildb.sqlite3' AS old;
      CREATE TABLE domain(domain TEXT PRIMARY KEY, description TEXT DEFAULT '', transport TEXT DEFAULT 'virtual',
        backupmx INTEGER DEFAULT 0, active INTEGER DEFAULT 1);
      CREATE TABLE mailbox(username TEXT PRIMARY KEY, password TEXT, name TEXT DEFAULT '', maildir TEXT, quota INTEGER DEFAULT 0,
        local_part TEXT, domain TEXT, active INTEGER DEFAULT 1);
      CREATE TABLE alias(address TEXT PRIMARY KEY, goto TEXT, domain TEXT, active INTEGER DEFAULT 1);
      CREATE TABLE alias_domain(alias_domain TEXT PRIMARY KEY, target_domain TEXT, active INTEGER DEFAULT 1);
      INSERT INTO domain(domain) SELECT name FROM old.domains;
      INSERT INTO mailbox(username, password, maildir, local_part, domain)
        SELECT email, password, name || '/' || substr(email, 1, instr(email, '@') - 1) || '/', substr(email, 1, instr(email, '@') - 1), name
        FROM old.users JOIN old.domains ON domains.id = users.domain_id;
      INSERT INTO alias(address, goto, domain) SELECT username, username, domain FROM mailbox;
      INSERT OR IGNORE INTO alias(address, goto, domain) SELECT src, dst, '' FROM old.aliases;
      END
      chown www-data:vmail postfixadmin/postfixadmin.db; chmod 0660 postfixadmin/postfixadmin.db
      rm -r maildb
      """,
    host: dovecotAccounts + """
      DATABASE=/vault/postfixadmin/postfixadmin.db
      mkdir -p /etc/postfix/sql
      table sql/domains "SELECT domain FROM domain WHERE domain='%s' AND active = '1'"
      table sql/mailboxes "SELECT maildir FROM mailbox WHERE username='%s' AND active = '1'"
      table sql/aliases "SELECT goto FROM alias WHERE address='%s' AND active = '1'"
      table sql/alias-domains "SELECT goto FROM alias, alias_domain WHERE alias_domain.alias_domain = '%d' AND alias.address = '%u' || '@' || alias_domain.target_domain AND alias.active = 1 AND alias_domain.active = '1'"
      table sql/alias-domain-catchalls "SELECT goto FROM alias, alias_domain WHERE alias_domain.alias_domain = '%d' AND alias.address = '@' || alias_domain.target_domain AND alias.active = 1 AND alias_domain.active = '1'"
      table sql/alias-domain-mailboxes "SELECT maildir FROM mailbox, alias_domain WHERE alias_domain.alias_domain = '%d' AND mailbox.username = '%u' || '@' || alias_domain.target_domain AND mailbox.active = 1 AND alias_domain.active = '1'"
      table sql/senders "SELECT username FROM mailbox WHERE username='%s' AND active = '1'"
      # Not through proxymap, which is the user postfix: others' files only smtpd opens, before it becomes that user.
      p=sqlite:/etc/postfix/sql
      postconf -e "virtual_mailbox_domains = $p/domains.cf" "virtual_mailbox_maps = $p/mailboxes.cf, $p/alias-domain-mailboxes.cf" \
        "virtual_alias_maps = $p/aliases.cf, $p/alias-domains.cf, $p/alias-domain-catchalls.cf" \
        "smtpd_sender_login_maps = $p/senders.cf"
      dovecot_accounts $DATABASE "SELECT username AS user, password FROM mailbox WHERE username='%u' AND active='1'"
      """,
    toml: "")

  /// What a role of Ansible writes: files instead of a database, rspamd as a filter that scans by itself behind a Unix socket, one key for
  /// all domains, certificate and key in one file that a group may read.
  static let ansible = AdoptedHost(
    testDescription: "text tables of an Ansible role",
    vault: """
      mkdir accounts
      sqlite3 maildb/maildb.sqlite3 "SELECT email || ':' || password FROM users" >accounts/passwd
      chown root:dovecot accounts/passwd; chmod 0640 accounts/passwd
      rm -r maildb
      # Where smtpd in its chroot finds it.
      install -d -o _rspamd -g _rspamd -m 0755 postfix/rspamd
      mkdir -m 0750 keys; mv dkim/example.org.202001.key keys/mail.pem; rm -r dkim; chown -R _rspamd:_rspamd keys
      """,
    host: """
      cd /etc/postfix
      printf 'example.org OK\nexample.net OK\n' >virtual_domains
      printf 'alice@example.org OK\nbob@example.org OK\n' >virtual_mailboxes
      printf 'postmaster@example.org alice@example.org\n' >virtual_aliases
      printf 'alice@example.org alice@example.org\nbob@example.org bob@example.org\n' >sender_logins
      postmap virtual_domains virtual_mailboxes virtual_aliases
      pem=/etc/ssl/private/mail.pem
      cat /etc/letsencrypt/live/mail.example.org/{privkey,fullchain}.pem >$pem
      chgrp ssl-cert $pem 2>/dev/null || chgrp mail $pem; chmod 0640 $pem
      postconf -X smtpd_tls_cert_file smtpd_tls_key_file
      postconf -e virtual_mailbox_domains=hash:/etc/postfix/virtual_domains virtual_mailbox_maps=hash:/etc/postfix/virtual_mailboxes \
        'submission_recipient_restrictions = permit_sasl_authenticated, reject' \
        virtual_alias_maps=hash:/etc/postfix/virtual_aliases smtpd_sender_login_maps=texthash:/etc/postfix/sender_logins \
        smtpd_tls_chain_files=$pem smtpd_milters=unix:rspamd/milter.sock
      if [ "$RELEASE" = 12 ]; then
        sed -i -e 's/driver = sql/driver = passwd-file/' -e 's|args = /etc/dovecot/dovecot-sql.conf.ext|args = scheme=SHA512-CRYPT /vault/accounts/passwd|' /etc/dovecot/dovecot.conf
        rm /etc/dovecot/dovecot-sql.conf.ext
      else
        sed -i -e '/^sql/d' -e 's/^passdb sql {/passdb passwd-file {/' -e 's|^  query = .*|  passwd_file_path = /vault/accounts/passwd|' /etc/dovecot/dovecot.conf
      fi
      cd /etc/rspamd/local.d
      echo 'enabled = false;' >worker-normal.inc
      printf '%s\n' 'bind_socket = "/vault/postfix/rspamd/milter.sock mode=0666";' 'milter = yes;' 'timeout = 120s;' \
        'upstream "local" {' '  default = yes;' '  self_scan = yes;' '}' >worker-proxy.inc
      printf 'path = "/vault/keys/mail.pem";\nselector = "mail";\nuse_esld = false;\nallow_username_mismatch = true;\n' >dkim_signing.conf
      """,
    toml: "")

  static let all = [ispmail, postfixAdmin, ansible]
}
