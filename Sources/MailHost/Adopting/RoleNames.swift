/// The variables of the Ansible role: which become settings, and what is known of the others.
enum RoleNames {
  /// How a value is taken over.
  enum Kind {
    case text
    /// An empty one says that there is none of it, and that is kept.
    case textOrNone
    case flag
    case texts
  }

  struct Setting {
    var variable: String
    var key: String
    var kind: Kind
    /// The role's own default where ours is another, with Jinja.
    var fallback: String?

    init(_ variable: String, _ kind: Kind, key: String? = nil, fallback: String? = nil) {
      self.variable = variable
      self.key = key ?? variable
      self.kind = kind
      self.fallback = fallback
    }
  }

  /// In the order in which they are written.
  static let settings = [
    Setting("mail_server_hostname", .text, fallback: "mail.{{ domain }}"), Setting("admin_email", .text),
    Setting("mail_domains", .texts), Setting("mail_local_admin_aliases", .texts), Setting("mail_certhost", .text),
    Setting("mail_ssl_cert", .text), Setting("mail_ssl_certkey", .text), Setting("friendly_networks", .texts),
    Setting("cryptdir_root", .text, key: "vault"),
    Setting("mail_spool_root", .text, fallback: "/var/vmail"),
    Setting("mail_sieve_root", .text, fallback: "/var/sieve"), Setting("mail_dkim_root", .text, fallback: "/var/dkim"),
    Setting("mail_db_root", .text, fallback: "/var/maildb"), Setting("mail_db_name", .text),
    Setting("mail_queue_dir", .text, fallback: "/var/spool/postfix"), Setting("spam_filter", .textOrNone),
    Setting("spam_per_user_bayes", .flag, fallback: "yes"), Setting("dkim_selector", .textOrNone, fallback: ""),
    Setting("dkim_selector_next", .text), Setting("redis_dbdir", .text, fallback: "/var/lib/redis"),
    Setting("redis_dbfile", .text),
  ]

  /// Taken over in a way of their own, or only put in where others refer to them.
  static let handled: Set = [
    "mail_users", "mail_aliases", "mail_admin_aliases", "cryptdir_type", "domain", "redis_maxmen", "redis_maxmem",
    "redis_maxmen_policy", "redis_maxmem_policy",
  ]

  /// Why nothing is made of the other variables of the role.
  static let reasons = [
    "cryptdir_boot_script": "mailboot takes its place",
    "cryptdir_boot_services": "which services are started is in mailboot.toml",
    "cryptdir_encfs_dir": "EncFS is not supported",
    "cryptdir_gocryptfs_dir": "mailboot finds it, or mailboot.toml names it",
    "cryptdir_luks_dev": "mailboot finds it, or mailboot.toml names it",
    "cryptdir_luks_mapname": "mailboot.toml has it as mapping",
    "dkim_keysize": "new keys have 2048 bits, and old ones stay", "dkim_selector_is_set": "follows from dkim_selector",
    "dkim_selector_next_is_set": "follows from dkim_selector_next",
    "dovecot_use_dotlock": "only EncFS needs other locks; if you do, [dovecot] extra takes lock_method",
    "mail_cfg_dir": "it is /etc/postfix", "mail_db": "follows from mail_db_root and mail_db_name",
    "mail_db_util": "mailcfg comes with the package", "mail_queue_default_dir": "it is /var/spool/postfix",
    "mail_relay_acct": "it is for hosts that relay to a mail host",
    "mail_relay_host": "it is for hosts that relay to a mail host",
    "mail_relay_port": "it is for hosts that relay to a mail host",
    "mail_services_bootstart": "what starts when is for mailboot to say",
    "snapshot_dir": "it is on the machine that runs Ansible",
    "spam_filter_is_set": "follows from spam_filter",
  ]

  /// What a host of the role does and ours does not, whatever its variables say.
  static let changes = [
    "port 25 takes logins → only 465 and 587 do, because on 25 nothing checks that a login sends under its own addresses",
    "rspamd down: mail passes unfiltered → it is put off, because it would leave unsigned",
    "every delivery to the inbox trains ham → only a move out of Junk does, because a delivery is nobody's judgement",
    "dovecot deletes mail in Trash after 3 days and in Junk after 30 → it deletes none, because that is for you to decide: "
      + "[dovecot] extra takes autoexpunge",
    "users who have logged in pass every check of rspamd → they have a limit, because a stolen password sends thousands",
  ]
}
