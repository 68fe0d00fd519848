import Foundation
import Testing

/// How a call is understood.
struct ArgumentTests {
  private struct Help: Decodable {
    struct Command: Decodable {
      var subcommands: [Command]?
      var arguments: [Argument]?
    }
    struct Argument: Decodable {
      struct Name: Decodable {
        var kind: String
        var name: String
      }
      var kind: String
      var names: [Name]?
    }
    var command: Command
  }

  /// Every option of every verb, with its dashes, that takes a value.
  private func optionsWithValue(_ command: Help.Command) -> Set<String> {
    let own = (command.arguments ?? []).filter { $0.kind == "option" }.flatMap { $0.names ?? [] }
      .map { ($0.kind == "long" ? "--" : "-") + $0.name }
    return (command.subcommands ?? []).reduce(into: Set(own)) { $0.formUnion(optionsWithValue($1)) }
  }

  @Test func everyOptionMayStandBeforeItsVerb() throws {
    let mailcfg = try Mailcfg()
    let dump = try mailcfg.call(["--experimental-dump-help"]).output
    let options = optionsWithValue(try JSONDecoder().decode(Help.self, from: Data(dump.utf8)).command)
    #expect(options.count == 9)
    for option in options {
      // What follows the option is its value, not the verb.
      let run = try mailcfg.call([option, "nosuch", "alsonosuch"])
      #expect(run.status == 64 && run.complaint.contains("there is no verb alsonosuch"), "\(option)")
    }
  }

  @Test(arguments: [
    ["--db", "DB", "--format", "json", "lsdom"], ["lsdom", "--format", "json", "--db", "DB"],
    ["--format=json", "lsdom", "--db=DB"], ["--format", "tsv", "lsdom", "--db", "DB", "--format", "json"],
  ])
  func optionsStandBeforeOrAfterTheVerbAndTheLastOneCounts(_ call: [String]) throws {
    let mailcfg = try Mailcfg()
    let run = try mailcfg.call(call.map { $0.replacingOccurrences(of: "DB", with: mailcfg.database) })
    #expect(run.output == "[\n  {\"id\":1,\"name\":\"example.org\"}\n]\n")
  }

  @Test(arguments: [
    ["-id", "7", "rmalias"], ["rmalias", "-id", "7"], ["rmalias", "--id", "7"], ["rmalias", "--id=7"],
  ])
  func anAliasIsRemovedByItsNumber(_ call: [String]) throws {
    let mailcfg = try Mailcfg("INSERT INTO aliases VALUES (7, 1, 'info@example.org', 'joe@example.org');")
    #expect(try mailcfg.call(call + ["--db", mailcfg.database]).output == "deleted alias\n")
  }

  @Test(arguments: [["--version"], ["lsdom", "--version"], ["--version", "adduser"]])
  func theVersionIsToldEverywhere(_ call: [String]) throws {
    let run = try Mailcfg().call(call)
    #expect(run.status == 0 && run.output.hasPrefix("mailcfg ") && run.lines.count == 1)
  }

  @Test(arguments: [["help", "rmalias"], ["rmalias", "--help"], ["--help", "rmalias"], ["rmalias", "-h"]])
  func theHelpOfAVerbHasItsOptions(_ call: [String]) throws {
    let run = try Mailcfg().call(call)
    #expect(run.status == 0 && run.output.contains("-id, --id <n>") && run.complaint == "")
  }

  @Test(arguments: [["help"], ["--help"], ["-h"]])
  func theHelpHasEveryVerb(_ call: [String]) throws {
    let run = try Mailcfg().call(call)
    #expect(run.status == 0 && run.output.contains("\n  schemes ") && run.output.contains("\n  addalias "))
  }

  @Test(arguments: [
    (["lsuser", "--formt", "json"], "--format"), (["lsdom", "--unknown"], "see `mailcfg help lsdom`"),
    (["help", "lsdmo"], "did you mean `mailcfg lsdom`?"), (["ls"], "did you mean one of lsalias, lsdom, lsuser?"),
    ([], "`mailcfg help` shows what there is"), (["--format", "json"], "`mailcfg help` shows what there is"),
    (["lsuser", "--format", "xml"], "'json', 'tsv' or 'text'"),
    (["set", "joe@example.org", "--quota", "much"], "a number of bytes such as 500M"),
    (["set", "joe@example.org", "--quota", "5ß"], "a number of bytes such as 500M"),
  ])
  func aCallThatIsNotUnderstoodIsExplained(_ call: [String], _ words: String) throws {
    let run = try Mailcfg().call(call)
    #expect(run.status == 64 && run.output == "")
    #expect(run.complaint.hasPrefix("error: ") && run.complaint.contains("\nhint: "), "\(run.complaint)")
    #expect(run.complaint.contains(words), "\(run.complaint)")
  }

  @Test func afterTwoDashesNothingIsAnOption() throws {
    let mailcfg = try Mailcfg()
    let run = try mailcfg.call(["passwd", "--db", mailcfg.database, "joe@example.org", "--", "--stdin"])
    #expect(run.output == "password updated\n")
    #expect(try mailcfg("verify", "joe@example.org", "--stdin", input: "--stdin").status == 0)
  }
}
