/// A directory that must be there.
public struct HostDirectory: Equatable, Sendable {
  public var path: String
  public var owner: String
  public var group: String
  public var mode: UInt32

  public init(path: String, owner: String, group: String, mode: UInt32) {
    self.path = path
    self.owner = owner
    self.group = group
    self.mode = mode
  }
}

extension HostSettings {
  /// The Debian packages that the host needs.
  public func packages(redisName: String) -> [String] {
    var names = [
      "ca-certificates", "dovecot-core", "dovecot-imapd", "dovecot-lmtpd", "dovecot-sieve", "dovecot-sqlite", "postfix",
      "postfix-sqlite",
    ]
    // How postfix logs in anywhere. A package that only recommended ones bring.
    if smarthost?.passwordFile != nil { names.append("libsasl2-modules") }
    if managesieve { names.append("dovecot-managesieved") }
    if spamFilter { names += ["rspamd", "\(redisName)-server"] }
    return names.sorted()
  }

  /// The units that serve mail, in the order in which they may start.
  public func units(redisName: String) -> [String] {
    (spamFilter ? ["\(redisName)-server", "rspamd"] : []) + ["dovecot", "postfix"]
  }

  /// Directories outside and inside of the vault, each after the one it is in.
  public func directories(redisName: String) -> [HostDirectory] {
    var list: [HostDirectory] = []
    func add(_ path: String, _ owner: String, _ group: String, _ mode: UInt32) {
      list.append(HostDirectory(path: path, owner: owner, group: group, mode: mode))
    }
    // A new encrypted directory of gocryptfs lets in nobody but root.
    add(vault, "root", "root", 0o755)
    add(spool, "root", "vmail", 0o775)
    add(databaseDirectory, "root", "root", 0o755)
    add(sieve, "vmail", "vmail", 0o770)
    for name in ["before.d", "after.d", "global"] { add("\(sieve)/\(name)", "vmail", "vmail", 0o770) }
    if spamFilter {
      if selector != nil { add(dkim, "_rspamd", "_rspamd", 0o750) }
      if redisDirectory != "/var/lib/redis" {
        add(
          redisDirectory, redisName == "valkey" ? "valkey" : "redis", redisName == "valkey" ? "valkey" : "redis", 0o750)
      }
    }
    if queue != "/var/spool/postfix" { add(queue, "root", "root", 0o755) }
    return list
  }
}
