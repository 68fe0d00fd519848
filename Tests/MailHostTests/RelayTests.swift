import Foundation
import MailHost
import TestSupport
import Testing

/// A machine that sends all its mail through a mail host.
struct RelayTests {
  private func settings(port: Int? = nil, to: String? = nil) throws -> RelaySettings {
    try RelaySettings(host: "mail.example.org", port: port, login: "Relay@example.org", administrator: to)
  }

  private func file(_ path: String, _ settings: RelaySettings, on machine: String = "web1.home.example") throws
    -> String
  {
    let files = try settings.render(on: machine, templates: repositoryTemplate)
    return try #require(files.first { $0.file.path == path }).text
  }

  @Test func bothPortsAreVerified() throws {
    for (port, wrapped) in [(465, "yes"), (587, "no")] {
      let main = MainCF(try file("/etc/postfix/main.cf", try settings(port: port)))
      #expect(main.unreadable.isEmpty)
      #expect(
        main.values["relayhost"] == "[mail.example.org]:\(port)" && main.values["smtp_tls_wrappermode"] == wrapped)
      #expect(main.values["smtp_tls_security_level"] == "secure" && main.values["mydestination"] == "")
      #expect(main.values["inet_interfaces"] == "loopback-only" && main.values["smtp_sasl_auth_enable"] == "yes")
    }
    #expect(MasterCF(try file("/etc/postfix/master.cf", try settings())).unreadable.isEmpty)
  }

  @Test func everySenderThatIsNotTheLoginsBecomesTheLogins() throws {
    let main = MainCF(try file("/etc/postfix/main.cf", try settings())).values
    let senders = try #require(main["sender_canonical_maps"])
    #expect(main["sender_canonical_classes"] == "envelope_sender")
    // relay@ may be anybody of the domain, and postfix knows its own notices by their sender.
    #expect(senders.contains(#"{ /^(double-bounce@web1\.home\.example)$$/ $$1 }, { /^(.*@example\.org)$$/ $$1 }"#))
    #expect(senders.contains(#"{ /^([^@+]+)(\+[^@]*)?@[^@]*$$/ relay+web1.$${1}@example.org }"#), "\(senders)")
    let bob = try RelaySettings(host: "mail.example.org", port: nil, login: "bob@example.org", administrator: nil)
    let own = try #require(MainCF(try file("/etc/postfix/main.cf", bob)).values["sender_canonical_maps"])
    #expect(own.contains(#"{ /^(bob(\+[^@]*)?@example\.org)$$/ $$1 }"#), "\(own)")
    // Whom to answer is no business of ours, unless it is this machine.
    #expect(main["canonical_classes"] == "header_sender")
    #expect(
      main["canonical_maps"]?.contains(#"@(web1\.home\.example|web1|localhost|localhost\.localdomain)$$/ "#) == true)
    #expect(main["notify_classes"] == "resource, software, 2bounce")
  }

  @Test func mailToTheMachineIsForTheAdministrator() throws {
    let recipients = try #require(
      MainCF(try file("/etc/postfix/main.cf", try settings())).values["virtual_alias_maps"])
    #expect(recipients.contains(#"|localhost|localhost\.localdomain)$$/ postmaster@example.org }"#), "\(recipients)")
    #expect(
      recipients.hasSuffix(#"{ /^relay\+web1\.[^@]*@example\.org$$/ postmaster@example.org } }"#), "\(recipients)")
    let alone = try file("/etc/postfix/main.cf", try settings(to: "bob@example.org"), on: "web1")
    #expect(alone.contains(#"{ /@(web1\.localdomain|web1|localhost|localhost\.localdomain)$$/ bob@example.org }"#))
  }

  @Test func whatTheNameServiceSaysIsNotTakenForPatterns() {
    #expect(RelaySettings.isMachineName("web1.example.net"))
    for name in ["web1", "localhost.localdomain", "web1.(.*)", "web1..net", ""] {
      #expect(!RelaySettings.isMachineName(name), "\(name)")
    }
  }

  @Test func whatCannotBeIsRefused() throws {
    #expect(throws: RelaySettings.Invalid.self) { try settings(port: 25) }
    #expect(throws: RelaySettings.Invalid.self) { try settings(to: "bob") }
    #expect(try settings().problem(on: "mail.example.org") == "this machine is mail.example.org itself")
    #expect(try settings().problem(on: "example.org") != nil)
    #expect(try settings().problem(on: "web1.example.org") == nil)
  }

  @Test func whatIsWrittenIsReadAgain() throws {
    for settings in [try settings(), try settings(port: 587, to: "bob@example.org")] {
      #expect(try relaySettings(try file(RelaySettings.path, settings)) == settings)
    }
  }

  @Test func aDeliveryIsFollowedThroughTheLog() throws {
    let log = """
      4F1: message-id=<other@x>
      A2B: message-id=<one@mail.example.org>
      4F1: to=<x@y>, relay=none, status=bounced (no)
      A2B: to=<bob@example.org>, orig_to=<root>, relay=mail.example.org[192.0.2.1]:465, delay=1, dsn=4.7.8, status=deferred (SASL authentication failed; server mail.example.org[192.0.2.1] said: 535 5.7.8 Error)
      """
    let waiting = try #require(RelayDelivery(log, messageID: "one@mail.example.org"))
    #expect(waiting.id == "A2B")
    guard case .deferred(let reason) = waiting.outcome else {
      Issue.record("\(waiting)")
      return
    }
    #expect(reason.hasSuffix("said: 535 5.7.8 Error"))
    #expect(RelayDelivery.hint(for: reason, try settings()).contains("--new-password"))
    let sent = log + "\nA2B: to=<bob@example.org>, relay=x, status=sent (250 2.0.0 Ok: queued as 77)"
    #expect(RelayDelivery(sent, messageID: "one@mail.example.org")?.outcome == .sent("250 2.0.0 Ok: queued as 77"))
    #expect(RelayDelivery(log, messageID: "two@mail.example.org") == nil)
    #expect(RelayDelivery("A2B: message-id=<one@mail.example.org>", messageID: "one@mail.example.org") == nil)
  }
}
