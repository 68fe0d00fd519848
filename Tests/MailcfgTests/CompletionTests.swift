import Foundation
import Testing

/// The completions of the shells know what the program knows.
struct CompletionTests {
  private static let directory =
    (#filePath as NSString).deletingLastPathComponent + "/../../packaging/completions/mailcfg."

  private func words(_ shell: String) throws -> Set<String> {
    let text = try String(contentsOfFile: Self.directory + shell, encoding: .utf8)
    return Set(text.split { !($0.isLetter || $0 == "-") }.map(String.init))
  }

  /// Verbs, or options without their dashes, that the help lists.
  private func listed(_ help: String, prefix: String) -> [String] {
    help.split(separator: "\n").filter { $0.hasPrefix("  " + prefix) }.map { line in
      String(line.dropFirst(2 + prefix.count).prefix { $0.isLetter || $0 == "-" })
    }
  }

  @Test(arguments: ["bash", "zsh", "fish"])
  func everyVerbAndOptionIsThere(_ shell: String) throws {
    let mailcfg = try Mailcfg()
    let known = try words(shell)
    let overview = try mailcfg.call(["help"]).output
    let verbs = listed(overview, prefix: "").filter { !$0.hasPrefix("-") }
    #expect(verbs.count == 20)
    for verb in verbs {
      #expect(known.contains { $0 == verb })
      for option in listed(try mailcfg.call(["help", verb]).output, prefix: "--") {
        // fish has them without dashes.
        #expect(known.contains("--" + option) || known.contains(option) || known.contains("-" + option), "\(option)")
      }
    }
  }

  @Test(arguments: [
    ("mailcfg add", "addalias adddom adduser"), ("mailcfg rmuser j", "joe@example.org"),
    ("mailcfg rmuser joe@", "example.org"), ("mailcfg rmdom ", "example.org"), ("mailcfg adduser new@", "example.org"),
    ("mailcfg lsuser --format ", "json tsv text"), ("mailcfg import --format ", "json csv"),
  ])
  func bashCompletesNames(_ line: String, _ expected: String) throws {
    let mailcfg = try Mailcfg()
    let call = line.replacingOccurrences(of: "mailcfg ", with: "mailcfg --db \(mailcfg.database) ")
    let script = #"""
      PATH=$(dirname "$0"):$PATH; source "$1"
      COMP_LINE=$2 COMP_POINT=${#2}
      _mailcfg && echo "${COMPREPLY[*]}"
      """#
    let run = try mailcfg.run(
      "/bin/bash", ["-c", script, try Mailcfg.path, Self.directory + "bash", call])
    #expect(run.output == expected + "\n" && run.complaint == "")
  }
}
