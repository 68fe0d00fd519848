import Testing

@testable import Systemd

@Test func bareNameIsAService() { #expect(UnitName("postfix").rawValue == "postfix.service") }
