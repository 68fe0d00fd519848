import Glibc
import Linux
import MailHost

extension HostFacts {
  /// What is so on this host, less what was asked for instead.
  ///
  /// The versions are those of Debian's packages, read from dpkg's own record: asking the four programs takes longer than all else
  /// that `plan` does. What is not installed yet is taken to be what the release has.
  /// - Parameter asked: `dovecot=2.4`, `debian=13`.
  static func here(
    _ settings: HostSettings, in root: HostRoot = HostRoot(prefix: ""), asked: [String] = []
  ) throws(HostFailure) -> HostFacts {
    let installed = InstalledPackages.read(root.path("/var/lib/dpkg/status"))
    var versions = isDebian12(root) ? DaemonVersions.debian12 : .debian13
    for word in asked where word.hasPrefix("debian=") {
      guard let release = ["debian=12": DaemonVersions.debian12, "debian=13": .debian13][word] else {
        throw HostFailure(.usage, "\(word): known are debian=12 and debian=13")
      }
      versions = release
    }
    func version(_ package: String) -> ProgramVersion? { installed.version(package).flatMap(ProgramVersion.init) }
    if !asked.contains(where: { $0.hasPrefix("debian=") }) {
      versions.postfix = version("postfix") ?? versions.postfix
      versions.dovecot = version("dovecot-core") ?? versions.dovecot
      versions.rspamd = version("rspamd") ?? versions.rspamd
      if let valkey = version("valkey-server"), version("redis-server") == nil {
        versions.redis = valkey
        versions.redisName = "valkey"
      } else {
        versions.redis = version("redis-server") ?? versions.redis
      }
    }
    for word in asked where !word.hasPrefix("debian=") {
      let parts = word.split(separator: "=", maxSplits: 1).map(String.init)
      guard parts.count == 2, let version = ProgramVersion(parts[1]) else {
        throw HostFailure(.usage, "\(word): expected NAME=VERSION, such as dovecot=2.4")
      }
      switch parts[0] {
      case "postfix": versions.postfix = version
      case "dovecot": versions.dovecot = version
      case "rspamd": versions.rspamd = version
      case "redis", "valkey":
        versions.redis = version
        versions.redisName = parts[0]
      default:
        throw HostFailure(
          .usage, "\(word): \(parts[0]) is none of postfix, dovecot, rspamd, redis, valkey, debian")
      }
    }
    return HostFacts(
      versions: versions, hasFail2ban: installed.version("fail2ban") != nil,
      // Its directory is there also when it came from elsewhere than from Debian.
      hasCertbot: fileStatus(root.path("/etc/letsencrypt/renewal-hooks")) != nil,
      mailUser: root.users.number("vmail") ?? 5000)
  }

  private static func isDebian12(_ root: HostRoot) -> Bool {
    (readSmallText(root.path("/etc/debian_version")) ?? "").hasPrefix("12")
  }
}
