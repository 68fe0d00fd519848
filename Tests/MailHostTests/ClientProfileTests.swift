import Foundation
import MailHost
import Testing

/// `.mobileconfig`.
struct ClientProfileTests {
  private func read(_ text: String) throws -> [String: Any] {
    let list = try PropertyListSerialization.propertyList(from: Data(text.utf8), format: nil)
    return try #require(list as? [String: Any])
  }

  private func account(_ text: String) throws -> [String: Any] {
    let payloads = try #require(try read(text)["PayloadContent"] as? [[String: Any]])
    #expect(payloads.count == 1)
    return try #require(payloads.first)
  }

  @Test func itSetsUpTheAccount() throws {
    let account = try account(MobileProfile(testServers, address: "alice@example.org").text)
    let texts = account.compactMapValues { $0 as? String }
    #expect(texts["PayloadType"] == "com.apple.mail.managed" && texts["EmailAccountType"] == "EmailTypeIMAP")
    for key in ["EmailAddress", "IncomingMailServerUsername", "OutgoingMailServerUsername"] {
      #expect(texts[key] == "alice@example.org", "\(key)")
    }
    for key in ["IncomingMailServer", "OutgoingMailServer"] {
      #expect(texts[key + "HostName"] == "mail.example.org")
      #expect(texts[key + "Authentication"] == "EmailAuthPassword")
      #expect(account[key + "UseSSL"] as? Bool == true)
    }
    #expect(account["IncomingMailServerPortNumber"] as? Int == 993)
    #expect(account["OutgoingMailServerPortNumber"] as? Int == 465)
    #expect(account["OutgoingPasswordSameAsIncomingPassword"] as? Bool == true)
  }

  @Test func thereIsNoPasswordInIt() throws {
    let account = try account(MobileProfile(testServers, address: "alice@example.org").text)
    #expect(account["IncomingPassword"] == nil && account["OutgoingPassword"] == nil)
  }

  /// A device that has the profile replaces it, and a file that is there is not written again.
  @Test func itIsTheSameEachTime() throws {
    let text = MobileProfile(testServers, address: "alice@example.org").text
    #expect(text == MobileProfile(testServers, address: "alice@example.org").text)
    let uuids = [try read(text), try account(text)].compactMap { $0["PayloadUUID"] as? String }
    #expect(Set(uuids).count == 2)
    // Version 8 and the variant of RFC 9562.
    for uuid in uuids {
      #expect(uuid.wholeMatch(of: /[0-9A-F]{8}-[0-9A-F]{4}-8[0-9A-F]{3}-[89AB][0-9A-F]{3}-[0-9A-F]{12}/) != nil)
    }
  }

  @Test func eachAccountHasItsOwn() throws {
    let (alice, bob) = ("alice@example.org", "bob@example.org")
    let profiles = [alice, bob].map { MobileProfile(testServers, address: $0) }
    #expect(profiles[0].path != profiles[1].path)
    for key in ["PayloadUUID", "PayloadIdentifier"] {
      let values = try profiles.compactMap { try read($0.text)[key] as? String }
      #expect(Set(values).count == 2, "\(key)")
    }
  }

  @Test func aHostileAddressIsOnlyAnAddress() throws {
    let text = MobileProfile(testServers, address: hostileName).text
    let expected = hostileName.replacingOccurrences(of: "\u{1}", with: "\u{FFFD}")
    #expect(try account(text)["EmailAddress"] as? String == expected)
    #expect(try read(text)["PayloadDisplayName"] as? String == expected)
    #expect(MobileProfile(testServers, address: "../../x@example.org").path.components(separatedBy: "/").count == 3)
  }

  @Test func xmllintReadsIt() throws {
    let text = MobileProfile(testServers, address: hostileName).text
    let said = try run("/usr/bin/xmllint", ["--nonet", "--noout", "-"], input: Data(text.utf8))
    #expect(said.status == 0, "\(said.said)")
  }
}
