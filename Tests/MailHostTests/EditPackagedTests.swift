import TestSupport
import Testing

@testable import mailhost

@Test func theSumsOfAPackagedFileAreReadFromBothRecords() throws {
  let root = try TemporaryDirectory()
  let sums = (0..<4).map { String(repeating: String($0), count: 32) }
  try root.write(
    "var/lib/ucf/hashfile",
    "\(sums[0])  /etc/dovecot/dovecot.conf\n\(sums[1])  /etc/dovecot/conf.d/10-auth.conf\n/etc/dovecot/dovecot.conf\n")
  try root.write(
    "var/lib/dpkg/status",
    """
    Package: redis-server
    Conffiles:
     /etc/redis/redis.conf \(sums[2])
     /etc/dovecot/dovecot.conf \(sums[3]) obsolete
     /etc/dovecot/dovecot.conf newconffile
    Description: names /etc/redis/redis.conf \(sums[1])

    """)
  let packaged = PackagedFiles(root: root.path)
  #expect(packaged.sums(of: "/etc/dovecot/dovecot.conf") == [sums[0], sums[3]])
  #expect(packaged.sums(of: "/etc/redis/redis.conf") == [sums[2]])
  #expect(packaged.sums(of: "/etc/postfix/main.cf").isEmpty)
  #expect(PackagedFiles(root: root.path + "/none").sums(of: "/etc/redis/redis.conf").isEmpty)
}
