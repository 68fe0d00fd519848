import Foundation
import MailHost
import TestSupport
import Testing

/// The annotated `mailhost.toml` that the package brings.
struct SettingsGuideTests {
  private let text: String
  private let guide: SettingsGuide

  init() throws {
    text = try String(contentsOf: repositoryFile("packaging/mailhost.toml"), encoding: .utf8)
    guide = SettingsGuide(text)
  }

  /// With the lines of these kinds switched on.
  private func switchedOn(examples: Bool) -> String {
    var isInExample = false
    return text.components(separatedBy: "\n").map { line -> String in
      guard line.hasPrefix("#"), !line.hasPrefix("# ") else {
        if line.hasPrefix("[") { isInExample = false }
        return line
      }
      let isExample = line.hasSuffix("# example")
      if line.hasPrefix("#[") { isInExample = isExample }
      return examples || !isExample && !isInExample ? String(line.dropFirst()) : line
    }.joined(separator: "\n")
  }

  @Test func whatIsSwitchedOffIsTheDefault() throws {
    let asItIs = try hostSettings(["mailhost.toml": text])
    #expect(asItIs == (try hostSettings(["mailhost.toml": switchedOn(examples: false)])))
    #expect(switchedOn(examples: false) != text)
    var plain = HostSettings(hostName: "mail.example.org", administrator: "alice@example.org")
    plain.domains = ["example.org"]
    plain.users = [.init(email: "alice@example.org")]
    #expect(asItIs == plain)
  }

  @Test func itsExamplesAreValid() throws {
    #expect(try settingsIssues(["mailhost.toml": switchedOn(examples: true)]) == [])
    let read = try hostSettings(["mailhost.toml": switchedOn(examples: true)])
    #expect(read.smarthost?.host == "smtp.example.net" && read.own.dovecot != nil && read.own.main.count == 1)
  }

  /// The reader names all keys that it knows when it meets one that is like none of them.
  @Test(arguments: ["", "limits", "smarthost", "web", "manage", "dovecot"]) func itHasEveryKey(_ table: String) throws {
    let stranger = table.isEmpty ? "zzzzzzzzzzzzzz = 1\n" : "[\(table)]\nhost = \"a.example.org\"\nzzzzzzzzzzzzzz = 1\n"
    let said = try #require(
      settingsIssues(["mailhost.toml": neededSettings + stranger]).last { $0.contains("zzzzzzzzzzzzzz") })
    let known = try #require(said.components(separatedBy: "| one of ").last).components(separatedBy: ", ")
    let path = table.isEmpty ? [] : [table]
    let misspelt: Set = ["redis_maxmen", "redis_maxmen_policy"]
    let tables = Set(guide.entries.compactMap { $0.key.components(separatedBy: ".").dropLast().first })
    for key in known where !misspelt.contains(key) && !(table.isEmpty && tables.contains(key)) {
      let name = (path + [key]).joined(separator: ".")
      #expect(guide.entries.contains { $0.key == name || $0.key.hasPrefix(name + ".\"") }, "\(name)")
    }
    for key in misspelt where table.isEmpty { #expect(known.contains(key)) }
  }

  @Test func everyKeyIsExplained() {
    #expect(guide.entries.count > 40)
    for entry in guide.entries { #expect(entry.text.hasSuffix("."), "\(entry.key): \(entry.text)") }
    #expect(Set(guide.entries.map(\.key)).count == guide.entries.count)
  }

  @Test func aKeyIsFoundWithItsTableOrWithoutIt() {
    #expect(guide.search("limits.burst").map(\.key) == ["limits.burst"])
    #expect(guide.search("burst").map(\.value) == ["100"])
    #expect(guide.search("manage").map(\.key) == ["manage.packages", "manage.services", "manage.users"])
    #expect(guide.search("vault").map(\.key) == ["vault"])
    #expect(guide.search("nothing").isEmpty)
  }

  @Test func defaultsThatFollowFromOtherSettingsAreThoseOfTheHost() {
    var settings = HostSettings(hostName: "mx.example.net", administrator: "bob@example.net")
    settings.vault = "/srv/v"
    let own = SettingsGuide(text, of: settings)
    #expect(own.search("mail_spool_root").map(\.value) == ["\"/srv/v/vmail\""])
    #expect(own.search("mail_ssl_cert").map(\.value) == ["\"/etc/letsencrypt/live/mx.example.net/fullchain.pem\""])
    #expect(own.search("vault").map(\.value) == ["\"/vault\""])
  }
}
