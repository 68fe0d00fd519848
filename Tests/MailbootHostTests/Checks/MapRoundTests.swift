import MailbootCore
import TestSupport
import Testing

@testable import MailbootHost

/// Asking postfix's tables as postfix does.
struct MapRoundTests {
  private func question(_ parameter: String, _ tables: String, _ samples: [String], known: Bool = true) -> MapQuestion {
    MapQuestion(chain: LookupChain(parameter: parameter, value: tables), samples: samples, isKnown: known)
  }

  /// Answers each question with whether the table has the key; gives what was asked, and the finding.
  private func run(_ questions: [MapQuestion], _ contents: [String: Set<String>]) -> ([String], Finding) {
    var round = MapRound(questions: questions)
    var asked: [String] = []
    while let (key, table) = round.next, asked.count < 100 {
      asked.append("\(key) \(table)")
      round.took(answer: contents[table]?.contains(key) ?? false)
    }
    return (asked, round.finding)
  }

  /// The usual cure for a catch-all: behind the aliases each mailbox is mapped to itself.
  @Test func inAChainTheFirstThatKnowsItAnswers() {
    let chain = question("virtual_alias_maps", "sqlite:/aliases.cf sqlite:/self.cf", ["post@example.org"])
    let (asked, finding) = run([chain], ["sqlite:/aliases.cf": ["post@example.org"]])
    #expect(finding.sound && finding.detail == "2 maps answer")
    #expect(asked == ["post@example.org sqlite:/aliases.cf", "post@example.org sqlite:/self.cf"])
    #expect(run([chain], ["sqlite:/self.cf": ["post@example.org"]]).1.sound)
  }

  /// The first may be send-only, switched off by another column, or stored in capitals by an old script.
  @Test func severalUsersAreTriedAndTheOneThatIsKnownIsNamed() {
    let users = question(
      "virtual_mailbox_maps", "sqlite:/users.cf", ["SEND@example.org", "off@x.org", "ann@example.org"])
    let (asked, finding) = run([users], ["sqlite:/users.cf": ["ann@example.org"]])
    #expect(asked.count == 3)
    #expect(finding.detail == "1 map answers, for ann@example.org (not for SEND@example.org, off@x.org)")
  }

  @Test func noneOfThemIsFatalAndTheHintAsksForOne() {
    let users = question("virtual_mailbox_maps", "sqlite:/users.cf hash:/more", ["ann@example.org", "bob@example.org"])
    let (asked, finding) = run([users], [:])
    #expect(asked.count == 4 && finding.kind == .mapIgnorant && finding.grade == .fatal)
    #expect(
      finding.detail
        == "virtual_mailbox_maps does not know any of ann@example.org, bob@example.org, which the database has")
    #expect(finding.hint == "compare its query with the database: `postmap -q ann@example.org sqlite:/users.cf`")
  }

  @Test func aSenderThatIsNotKnownIsAWarningAndTheWorseOfTwoIsTold() {
    let sender = question("smtpd_sender_login_maps", "sqlite:/logins.cf", ["ann@example.org"])
    #expect(run([sender], [:]).1.grade == .warning)
    let both = run([sender, question("virtual_mailbox_domains", "sqlite:/domains.cf", ["example.org"])], [:]).1
    #expect(both.kind == .mapIgnorant)
  }

  @Test func ofAnotherDatabaseNobodyIsKnownAndItsTablesAreAskedAllTheSame() {
    let (asked, finding) = run(
      [question("virtual_mailbox_maps", "mysql:/m.cf", ["postmaster@invalid"], known: false)], [:])
    #expect(asked == ["postmaster@invalid mysql:/m.cf"] && finding.sound)
  }

  @Test(arguments: [
    ("", nil),
    ("postmap: warning: /etc/postfix/main.cf, line 9: overriding earlier entry: mynetworks=1", nil),
    (
      "postmap: fatal: open database /etc/postfix/x.db: No such file",
      "postmap: fatal: open database /etc/postfix/x.db: No such file"
    ),
    (
      "postmap: warning: x, line 1: unused parameter: y=z\npostmap: warning: connect to mysql server h: refused\n"
        + "postmap: fatal: table mysql:/m.cf: query error: Success",
      "postmap: warning: connect to mysql server h: refused; postmap: fatal: table mysql:/m.cf: query error: Success"
    ),
  ])
  func onlyWhatKeepsTheTableFromAnsweringIsAComplaint(_ errors: String, _ complaint: String?) {
    #expect(MapRound.complaint(errors) == complaint)
  }

  @Test func theAccountsOfAFileCountOnlyForTablesThatReadIt() throws {
    let directory = try TemporaryDirectory()
    let database = directory.file("accounts.sqlite3")
    try directory.write("accounts.sqlite3", "")
    try directory.write("ours.cf", "dbpath = \(database)\nquery = SELECT 1\n")
    try directory.write("other.cf", "dbpath=/elsewhere\n")
    let files = AccountFiles(database, dovecot: directory.file("dovecot"))
    func isAsked(_ value: String) -> Bool { files.isAsked(by: LookupChain(parameter: "x", value: value)) }
    #expect(isAsked("hash:/a sqlite:\(directory.file("ours.cf"))"))
    #expect(isAsked("pipemap:{hash:/a,proxy:sqlite:\(directory.file("ours.cf"))}"))
    #expect(!isAsked("sqlite:\(directory.file("other.cf")) mysql:/m.cf"))
    #expect(!files.isDovecots)
    let chain = LookupChain(
      parameter: "x",
      value: "sqlite:\(directory.file("other.cf")) proxy:sqlite:\(directory.file("ours.cf")) proxy:mysql:/m")
    #expect(chain.filesOfProxymap == [database])
  }
}
