import Foundation
import MailHost
import MailHostProof
import TestSupport
import Testing

/// The manual pages have what the program has.
struct SettingsManualTests {
  private func page(_ name: String) throws -> [String] {
    try String(contentsOf: repositoryFile("man/\(name)"), encoding: .utf8).components(separatedBy: "\n")
  }

  @Test func everyKeyIsInTheManual() throws {
    let text = try String(contentsOf: repositoryFile("packaging/mailhost.toml"), encoding: .utf8)
    let words = Set(try page("mailhost.toml.5").filter { $0.hasPrefix(".It Li ") }.flatMap { $0.split(separator: " ") })
    for entry in SettingsGuide(text).entries where !entry.key.hasPrefix("postfix.") {
      let name = entry.key.split(separator: ".").last ?? ""
      #expect(words.contains(name), "\(entry.key)")
    }
    #expect(words.contains("[postfix.main]"))
  }

  @Test func everyTestIsInTheManualWithWhatItShows() throws {
    let lines = try page("mailhost.8")
    for name in ProofName.allCases {
      let place = try #require(lines.firstIndex(of: ".It Li \(name.rawValue)"), "\(name.rawValue)")
      #expect(lines[place + 1] == name.meaning)
    }
  }

  /// What the help of the program shows. `complete` is for mailboot, not for people.
  @Test func everyVerbAndOptionIsInTheManual() throws {
    let lines = try page("mailhost.8")
    let help = try MailhostRun(["--help"]).lines
    let verbs = help.drop { !$0.hasPrefix("SUBCOMMANDS") }
      .compactMap { line in line.prefixMatch(of: /[ ]{2}([a-z]+)[ ]{2}/).map { String($0.output.1) } }
    #expect(verbs.contains("explain") && verbs.count > 7)
    for verb in verbs where verb != "complete" {
      #expect(lines.contains { $0 == ".It Cm \(verb)" || $0.hasPrefix(".It Cm \(verb) ") }, "\(verb)")
      let options = try MailhostRun(["help", verb]).output.matches(of: /\n +--([a-z-]+)/).map { String($0.output.1) }
      for option in options where option != "version" {
        #expect(lines.contains { $0 == ".It Fl -\(option)" || $0.hasPrefix(".It Fl -\(option) ") }, "\(verb) \(option)")
      }
    }
  }
}
