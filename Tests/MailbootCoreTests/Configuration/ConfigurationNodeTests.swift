import MailbootCore
import Testing

/// Laying one file over another, and the order of complaints.
struct ConfigurationNodeTests {
  private func node(_ value: ConfigurationNode.Value, _ file: String = "a", line: Int = 1) -> ConfigurationNode {
    ConfigurationNode(value, at: Origin(file: file, line: line, column: 1))
  }

  @Test func tablesAreMergedKeyByKeyAtEveryDepth() {
    let first = node(
      .table([
        "vault": node(.table(["mount": node(.string("/a")), "mapping": node(.string("m"))])), "x": node(.integer(1)),
      ]))
    let later = node(.table(["vault": node(.table(["mount": node(.string("/b"), "b", line: 7)]), "b")]), "b")
    guard case .table(let top) = first.merged(with: later).value, case .table(let vault)? = top["vault"]?.value else {
      Issue.record("no table")
      return
    }
    #expect(vault["mount"] == node(.string("/b"), "b", line: 7))
    #expect(vault["mapping"] == node(.string("m")))
    #expect(top["x"] == node(.integer(1)))
  }

  @Test func everythingElseIsReplacedWhole() {
    let list = node(.array([node(.string("x")), node(.string("y"))]))
    let shorter = node(.array([node(.string("z"))]), "b")
    #expect(list.merged(with: shorter) == shorter)
    #expect(list.merged(with: node(.table([:]), "b")) == node(.table([:]), "b"))
    #expect(node(.table(["k": list])).merged(with: node(.integer(3), "b")) == node(.integer(3), "b"))
  }

  @Test func complaintsStandInTheOrderOfFilesAndLines() {
    func issue(_ file: String, _ line: Int, _ column: Int, _ key: String) -> ConfigurationIssue {
      ConfigurationIssue(origin: Origin(file: file, line: line, column: column), key: key, message: "")
    }
    let sorted = [
      issue("a", 2, 9, "z"), issue("a", 10, 1, "a"), issue("a", 10, 3, "b"), issue("a", 10, 3, "c"),
      issue("b", 1, 1, ""),
    ]
    #expect(ConfigurationError(issues: sorted.reversed()).issues == sorted)
  }
}
