import Foundation
import MachineKit
import SceneSupport
import Testing

/// Power that fails while mailcfg writes.
struct AccountPowerCutTests {
  // On one release, for the time it takes: SQLite is the same in both, and the power is cut on both in MainPathTests.
  @Test(arguments: [Release.debian12])
  func aPowerCutWhileWritingLeavesTheDatabaseBeforeOrAfter(_ release: Release) async throws {
    let machine = try await Machine.fresh(release)
    defer { machine.close() }
    try await machine.put("/run/passphrase", Data(GuestCredentials.vaultPassphrase.utf8), mode: 0o600)
    for (name, text) in AccountTools.all {
      try await machine.put("/usr/local/sbin/" + name, Data(text.utf8), mode: 0o755)
    }
    // New domains have no keys yet.
    try await machine.succeed("printf '[verify.severity]\\ndkim = \"warn\"\\n' >/etc/mailboot/mailboot.toml")
    try await machine.succeed("mailboot --stdin </run/passphrase", timeout: .seconds(600))
    // Every writing verb, round and round, each round with a user and a domain of its own.
    let writing = try await machine.start(
      """
      make-users 2000 >/root/users.json
      for round in {1..1000}; do
        d=d$round.example
        mailcfg adddom $d
        echo secret | mailcfg adduser u@$d --stdin --scheme SHA512-CRYPT
        mailcfg addalias a@$d u@$d
        mailcfg disable u@$d; mailcfg enable u@$d
        echo other | mailcfg passwd u@$d --stdin --scheme SHA512-CRYPT
        mailcfg set u@$d --quota ${round}M
        mailcfg import /root/users.json
        mailcfg rmalias a@$d; mailcfg rmuser u@$d --yes; mailcfg rmdom many.example --yes
        echo $round >/run/round
      done
      """)
    _ = writing
    try await machine.succeed("until [ -e /run/round ]; do sleep 0.2; done; sleep 1.7", timeout: .seconds(200))
    try await machine.powerCut()
    try await machine.bootAgain()
    let unlock = try await machine.run(
      "mailboot --stdin", stdin: Data(GuestCredentials.vaultPassphrase.utf8), timeout: .seconds(600))
    #expect(unlock.status == 0, "\(unlock.stderr)")
    let findings = try await machine.run("mailcfg check --format json")
    for kind in ["damage", "orphan", "loop"] { #expect(!findings.stdout.contains("\"\(kind)\""), "\(findings.stdout)") }
    // All of an import, or nothing of it.
    let many = try await machine.succeed("mailcfg lsuser many.example | wc -l")
    #expect(["0\n", "2000\n"].contains(many))
    #expect(try await machine.run("mailcfg lsuser example.org").stdout.contains("alice@example.org"))
  }
}
