import Foundation
import MachineKit
import SceneSupport
import Testing

/// What happens to others, and to the database, while mailcfg writes.
struct AccountSafetyTests {
  @Test(arguments: Release.both)
  func postfixAndDovecotAnswerThroughoutAnImport(_ release: Release) async throws {
    try await AccountTools.withReadyHost(release) { host in
      try await host.guest.succeed("make-users 100000 >/root/users.json; rm -f /run/imported", timeout: .seconds(120))
      let recipients = try await host.guest.start("ask-recipients 200 /run/imported")
      let logins = try await host.guest.start("ask-dovecot 200 /run/imported")
      let imported = try await host.guest.run(
        "sleep 3; mailcfg import /root/users.json; status=$?; sleep 2; touch /run/imported; exit $status",
        timeout: .seconds(180))
      #expect(imported.status == 0, "\(imported.stderr)")
      // In the moment of the commit an smtpd ends, and a login fails for now: clients come again. Nobody is refused.
      for (command, transient) in [(recipients, "Connection unexpectedly closed"), (logins, "code=temp_fail")] {
        let output = try await command.wait(timeout: .seconds(60))
        let lines = output.stdout.split(separator: "\n")
        let troubles = lines.filter { !$0.hasPrefix("asked ") }
        #expect(troubles.allSatisfy { $0.hasPrefix("failure ") && $0.contains(transient) }, "\(troubles)")
        let asked = try #require(lines.last?.split(separator: " ").last.flatMap { Int($0) })
        #expect(asked >= 5 && troubles.count * 20 <= max(asked, 40), "\(troubles.count) of \(asked)")
      }
      #expect(try await host.mailcfg("lsuser many.example | wc -l") == "100000")
    }
  }
}
