import MailHost
import Testing

@Test(arguments: [
  ("1:2.3.19.1+dfsg1-2.1+deb12u7", "2.3.19.1"), ("3.7.11-0+deb12u1", "3.7.11"), ("1:2.4.1+dfsg1-6+deb13u7", "2.4.1"),
  ("5:8.0.2-3", "8.0.2"), ("2.4", "2.4"),
])
func debianVersionsAreReadAsUpstream(debian: String, upstream: String) throws {
  #expect(ProgramVersion(debian)?.description == upstream)
}

@Test func tenIsMoreThanNine() {
  #expect(ProgramVersion(3, 9) < ProgramVersion(3, 10, 13))
  #expect(ProgramVersion("none") == nil)
}
