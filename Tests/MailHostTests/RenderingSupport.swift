import Foundation
import MailHost
import MailbootCore
import TestSupport
import Testing

/// A template of the repository.
func repositoryTemplate(_ name: String) -> String? {
  try? String(contentsOf: repositoryFile("templates/\(name).mustache"), encoding: .utf8)
}

/// A host that files are rendered for.
struct HostVariant: Sendable, CustomStringConvertible {
  let description: String
  var settings = HostSettings(hostName: "mail.example.org", administrator: "alice@example.org")
  var facts: HostFacts

  init(
    _ description: String, _ versions: DaemonVersions, hasExtras: Bool = false,
    _ change: (inout HostSettings) -> Void = { _ in }
  ) {
    self.description = description
    facts = HostFacts(versions: versions, hasFail2ban: hasExtras, hasCertbot: hasExtras)
    change(&settings)
  }

  func rendered() throws -> [RenderedFile] { try settings.render(on: facts, templates: repositoryTemplate) }

  /// The text of the file whose path ends so; nil when the host has no such file.
  func text(_ name: String) throws -> String? { try rendered().first { $0.file.path.hasSuffix("/" + name) }?.text }

  var isDovecot24: Bool { facts.versions.dovecot >= ProgramVersion(2, 4) }

  static let all: [HostVariant] = {
    var postfix39 = DaemonVersions.debian12
    postfix39.postfix = ProgramVersion(3, 9, 1)
    var dovecot240 = DaemonVersions.debian13
    dovecot240.dovecot = ProgramVersion(2, 4, 0)
    var valkey = DaemonVersions.debian13
    (valkey.redis, valkey.redisName) = (ProgramVersion(8, 1, 1), "valkey")
    let single = [
      HostVariant("postfix 3.9", postfix39), HostVariant("dovecot 2.4.0", dovecot240), HostVariant("valkey", valkey),
    ]
    let releases: [(String, DaemonVersions)] = [("12", .debian12), ("13", .debian13)]
    return single
      + releases.flatMap { release, versions in
        [
          HostVariant("\(release)", versions),
          HostVariant("\(release), fail2ban and certbot", versions, hasExtras: true),
          HostVariant("\(release), no spam filter", versions) { settings in
            settings.spamFilter = false
            settings.selector = nil
          },
          HostVariant("\(release), no signatures", versions) { $0.selector = nil },
          HostVariant("\(release), no limits", versions) {
            ($0.limits.messagesPerDay, $0.limits.recipientsPerDay, $0.limits.newRecipientsPerDay) = (0, 0, 0)
          },
          HostVariant("\(release), no managesieve", versions) { $0.managesieve = false },
          HostVariant("\(release), quota", versions) { $0.quota = "2G" },
          HostVariant("\(release), per-user statistic", versions) { $0.perUserBayes = true },
          HostVariant("\(release), IPv4 alone", versions) { $0.ipv6 = false },
          HostVariant("\(release), another vault", versions) { settings in
            settings.vault = "/srv/vault"
            settings.vaultType = "gocryptfs"
            settings.queue = "/var/spool/postfix"
            settings.friendlyNetworks = ["192.0.2.0/24", "2001:db8::/48"]
          },
          HostVariant("\(release), smarthost", versions) { settings in
            settings.smarthost = .init(host: "smtp.example.net", passwordFile: "/etc/mailboot/smarthost")
          },
          HostVariant("\(release), careless smarthost", versions) { settings in
            settings.smarthost = .init(host: "smtp.example.net", port: 25)
            settings.smarthost?.verify = false
          },
          HostVariant("\(release), lines of one's own", versions) { $0.own = ownLines },
          HostVariant("\(release), everything", versions, hasExtras: true) { $0 = $0.withEverything },
        ]
      }
  }()

  private static let ownLines: HostSettings.Own = {
    func line(_ name: String, _ value: String, _ number: Int) -> HostSettings.Own.Line {
      .init(name: name, value: value, origin: .init(file: "/etc/mailboot/mailhost.toml", line: number, column: 1))
    }
    var own = HostSettings.Own()
    own.main = [line("smtpd_client_connection_rate_limit", "60", 7)]
    own.master["submission"] = [line("smtpd_client_connection_count_limit", "20", 9)]
    own.master["10026"] = [
      line("command", "inet n - y - - smtpd", 11), line("smtpd_milters", "inet:127.0.0.1:9", 12),
    ]
    own.dovecot = "/etc/dovecot/local.conf"
    return own
  }()

  static func named(_ description: String) throws -> HostVariant {
    try #require(all.first { $0.description == description })
  }
}
