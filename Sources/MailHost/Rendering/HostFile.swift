/// A file of the host that is wholly ours: where it is, what it is made of, and whom it is for.
public struct HostFile: Equatable, Sendable {
  /// How it is written, for finding settings in it and for comparing what was edited.
  public enum Syntax: String, Sendable {
    case postfixMain, postfixMaster, postfixMap, dovecot, rspamd, redis, unit, toml, sieve, script, fail2ban, lua

    /// What a comment begins with.
    var comment: String { self == .lua ? "--" : "#" }
  }

  /// Who reads it, and so has to be told when it changes.
  public enum Reader: String, Sendable, CaseIterable {
    case postfix, dovecot, rspamd, redis, mailboot, fail2ban, nobody

    /// The daemons, in the order in which they are told.
    public static let doorLast: [Reader] = [.fail2ban, .redis, .rspamd, .dovecot, .postfix]
  }

  public var path: String
  /// Its name below the directory of templates, without `.mustache`.
  public var template: String
  public var syntax: Syntax
  public var reader: Reader
  public var mode: UInt32 = 0o644
  public var owner = "root"
  public var group = "root"
}

/// What is known of the host besides the settings.
public struct HostFacts: Equatable, Sendable {
  public var versions: DaemonVersions
  public var hasFail2ban: Bool
  public var hasCertbot: Bool
  /// Of the user that mail belongs to.
  public var mailUser: UInt32

  public init(
    versions: DaemonVersions, hasFail2ban: Bool = false, hasCertbot: Bool = false, mailUser: UInt32 = 5000
  ) {
    self.versions = versions
    self.hasFail2ban = hasFail2ban
    self.hasCertbot = hasCertbot
    self.mailUser = mailUser
  }
}

extension HostSettings {
  /// Every file of ours on such a host, in the order of their paths.
  public func files(on host: HostFacts) -> [HostFile] {
    var files: [HostFile] = []
    func add(
      _ path: String, _ template: String, _ syntax: HostFile.Syntax, _ reader: HostFile.Reader, mode: UInt32 = 0o644,
      owner: String = "root", group: String = "root"
    ) {
      files.append(
        HostFile(
          path: path, template: template, syntax: syntax, reader: reader, mode: mode, owner: owner, group: group))
    }
    add("/etc/postfix/main.cf", "postfix/main.cf", .postfixMain, .postfix)
    add("/etc/postfix/master.cf", "postfix/master.cf", .postfixMaster, .postfix)
    for map in ["domains", "mailboxes", "aliases", "sender-logins", "relay-accounts"] {
      add("/etc/postfix/sqlite/\(map).cf", "postfix/sqlite/\(map).cf", .postfixMap, .postfix)
    }
    add("/etc/dovecot/dovecot.conf", "dovecot/dovecot.conf", .dovecot, .dovecot)
    if host.versions.dovecot < ProgramVersion(2, 4) {
      add("/etc/dovecot/dovecot-sql.conf.ext", "dovecot/dovecot-sql.conf.ext", .dovecot, .dovecot)
    }
    add(
      "\(sieve)/before.d/separate_spam.sieve", "sieve/before.d/separate_spam.sieve", .sieve, .nobody, mode: 0o640,
      owner: "vmail", group: "vmail")
    if spamFilter {
      for name in [
        "arc.conf", "classifier-bayes.conf", "dkim_signing.conf", "greylist.conf", "milter_headers.conf", "options.inc",
        "ratelimit.conf", "redis.conf", "settings.conf", "worker-controller.inc", "worker-normal.inc",
        "worker-proxy.inc",
      ] {
        add("/etc/rspamd/local.d/\(name)", "rspamd/local.d/\(name)", .rspamd, .rspamd)
      }
      if countsSending { add("/etc/rspamd/local.d/rspamd.lua", "rspamd/local.d/rspamd.lua", .lua, .rspamd) }
      let redis = host.versions.redisName
      add("/etc/\(redis)/mailhost.conf", "redis/mailhost.conf", .redis, .redis)
      add("/etc/systemd/system/\(redis)-server.service.d/mailhost.conf", "redis/service.conf", .unit, .redis)
      for lesson in ["spam", "ham"] {
        add(
          "\(sieve)/global/learn_\(lesson).sieve", "sieve/global/learn_\(lesson).sieve", .sieve, .nobody, mode: 0o640,
          owner: "vmail", group: "vmail")
      }
      add("/usr/lib/mailhost/sieve-pipe/rspamd-learn", "libexec/rspamd-learn", .script, .nobody, mode: 0o755)
    }
    if differsForMailboot(redisName: host.versions.redisName) {
      add("/etc/mailboot/mailboot.toml.d/00-mailhost.toml", "mailboot/00-mailhost.toml", .toml, .mailboot)
    }
    if host.hasCertbot {
      add("/etc/letsencrypt/renewal-hooks/deploy/mailhost", "certbot/mailhost", .script, .nobody, mode: 0o755)
    }
    if host.hasFail2ban {
      add("/etc/fail2ban/jail.d/mailhost.conf", "fail2ban/jail.conf", .fail2ban, .fail2ban)
      add("/etc/fail2ban/filter.d/mailhost-dovecot.conf", "fail2ban/filter-dovecot.conf", .fail2ban, .fail2ban)
    }
    return files.sorted { $0.path < $1.path }
  }
}
