import MailHost
import Testing

/// `mta-sts.txt`.
struct ClientPolicyTests {
  @Test func itsLinesEndAsTheRFCHasIt() {
    let policy = MTASTSPolicy(mode: .enforce, hostName: "mail.example.org")
    #expect(
      Array(policy.text.utf8)
        == Array("version: STSv1\r\nmode: enforce\r\nmx: mail.example.org\r\nmax_age: 604800\r\n".utf8))
  }

  @Test func anotherPolicyHasAnotherId() {
    let policies = MTASTSPolicy.Mode.allCases.flatMap { mode in
      ["a.example.org", "b.example.org"].map { MTASTSPolicy(mode: mode, hostName: $0) }
    }
    #expect(Set(policies.map(\.id)).count == 6)
    for policy in policies {
      #expect(policy.id == MTASTSPolicy(mode: policy.mode, hostName: policy.hostName).id)
      // RFC 8461, 3.1: 1*32(ALPHA / DIGIT).
      #expect(policy.record.wholeMatch(of: /v=STSv1; id=[a-z0-9]{1,32};/) != nil)
    }
  }

  @Test func onlyOursIsTakenForOurs() {
    let text = MTASTSPolicy(mode: .testing, hostName: "old.example.org").text
    #expect(MTASTSPolicy.isOurs(text))
    for other in [
      "", text + "mx: other.example.org\r\n", text.replacing("604800", with: "86400"),
      text.replacing("testing", with: "x"),
      text.replacing("\r\n", with: "\n"),
    ] {
      #expect(!MTASTSPolicy.isOurs(other), "\(other)")
    }
  }
}
