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
      for (command, isSMTP) in [(recipients, true), (logins, false)] {
        let output = try await command.wait(timeout: .seconds(60))
        let lines = output.stdout.split(separator: "\n")
        let troubles = lines.filter { !$0.hasPrefix("asked ") }
        // An smtpd whose lookup comes in the moment of the commit ends, and its client comes again. Nobody is refused.
        #expect(troubles.allSatisfy { isSMTP && $0 == "failure Connection unexpectedly closed" }, "\(troubles)")
        #expect(troubles.count <= 2)
        let asked = try #require(lines.last?.split(separator: " ").last.flatMap { Int($0) })
        #expect(asked >= 5)
      }
      #expect(try await host.mailcfg("lsuser many.example | wc -l") == "100000")
    }
  }
}
