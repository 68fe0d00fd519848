import Foundation
import MachineKit
import SceneSupport
import Testing

extension AccountTools {
  /// Runs a test on an unlocked host with these scripts.
  static func withReadyHost(_ release: Release, _ test: (AccountHost) async throws -> Void) async throws {
    try await MailHosts.with(release) { host in
      let accounts = AccountHost(guest: host.guest)
      try await host.put(all)
      // Before the vault is open nobody writes into the empty directory.
      let locked = try await host.guest.run("mailcfg adddom example.com")
      #expect(locked.status == 1)
      #expect(locked.stderr.contains("error: /vault is not mounted"), "\(locked.stderr)")
      #expect(locked.stderr.contains("hint: ") && locked.stderr.contains("mailboot"), "\(locked.stderr)")
      let unlock = try await host.unlock()
      try #require(unlock.status == 0, "\(unlock.stderr)")
      try await test(accounts)
    }
  }
}

/// A host whose vault is open and whose services answer.
struct AccountHost: Sendable {
  let guest: any Guest

  /// Runs `mailcfg`, and returns what it says on standard output without the last newline.
  @discardableResult
  func mailcfg(_ arguments: String, stdin: String? = nil, status: Int = 0) async throws -> String {
    let output = try await guest.run("mailcfg \(arguments)", stdin: stdin.map { Data($0.utf8) })
    #expect(Int(output.status) == status, "mailcfg \(arguments): \(output.stdout)\(output.stderr)")
    return output.stdout.trimmingCharacters(in: .newlines)
  }

  /// Whether dovecot lets the user in.
  func logsIn(_ user: String, _ password: String) async throws -> Bool {
    let output = try await guest.run("imap-login \(GuestTools.quoted(user)) \(GuestTools.quoted(password))")
    try #require(output.status == 0 || output.status == 3, "\(output.stderr)")
    return output.status == 0
  }

  /// Hands a mail to postfix.
  /// - Returns: nil when it was accepted, else what the client said.
  func send(_ subject: String, to address: String, as login: (String, String)? = nil) async throws -> String? {
    let options = login.map { " --as \(GuestTools.quoted($0.0)) \(GuestTools.quoted($0.1))" } ?? ""
    let output = try await guest.run(
      "/usr/local/lib/mailboot-machine/send-mail \(subject) --to \(GuestTools.quoted(address))\(options)")
    return output.status == 0 ? nil : output.stderr
  }

  /// Whether the mail arrives in the user's inbox.
  func arrives(_ subject: String, for user: String, _ password: String, within seconds: Int = 60) async throws -> Bool {
    let command =
      "/usr/local/lib/mailboot-machine/read-mail \(subject) --user \(GuestTools.quoted(user)) \(GuestTools.quoted(password))"
    // The first mail makes the mailbox: dovecot may answer NO to a client that comes meanwhile.
    return try await guest.run(
      "for try in 1 2 3; do \(command) --wait \(seconds) >/dev/null && exit 0; sleep 2; done; exit 1",
      timeout: .seconds(seconds * 3 + 120)
    ).status == 0
  }
}
