import Testing

@testable import MailHost

@Test func commentsOrderAndLayoutOfMainAreNoEdit() {
  let one = MainCF("a = 1\nb = x, y\n# c = 3\n")
  let other = MainCF("b =   x,\n# in the middle\n\t y\n\na=1\r\n")
  #expect(one.saysTheSame(as: other))
  #expect(one.parameters.map(\.line) == [1, 2])
}

@Test func theLastOfTwoParametersCounts() {
  #expect(MainCF("a = 1\na = 2\n").values == ["a": "2"])
  #expect(!MainCF("a = 2\na = 1\n").saysTheSame(as: MainCF("a = 1\na = 2\n")))
}

@Test func aLineWithoutAnEqualSignIsNoticed() {
  let main = MainCF("a = 1\nsmtpd_helo_required yes\n= 5\nb c = 1\n")
  #expect(main.unreadable == ["smtpd_helo_required yes", "= 5", "b c = 1"])
  #expect(!main.saysTheSame(as: MainCF("a = 1\n")))
}

@Test func changesAreNamedByParameter() {
  let changes = MainCF("a = 1\nb = 2\nd = 4\n").changes(to: MainCF("b = 3\nc =\nd = 4\n"))
  #expect(changes.map(\.description) == ["a: 1 → (not set)", "b: 2 → 3", "c: (not set) → (empty)"])
}

@Test(arguments: [
  ("a = 1\nb = 2\n", "a = 9\nb = 2\n"), ("b = 2\n", "b = 2\na = 9\n"), ("b = 2", "b = 2\na = 9\n"), ("", "a = 9\n"),
  // Of two, the one that counts; a value's further lines go with it, a comment between them stays.
  ("a = 1\na = 2,\n  3,\n# why\n  4\nb = 2\n", "a = 1\na = 9\n# why\nb = 2\n"),
])
func settingAParameterLeavesTheRest(before: String, after: String) {
  #expect(MainCF.setting("a", to: "9", in: before) == after)
}

@Test func servicesAreComparedByWordsAndOptions() {
  let one = MasterCF("smtp inet n - y - - smtpd\n  -o a=1\n  -o b=2\nx unix - n n - - pipe flags=F argv=/bin/x -o\n")
  let other = MasterCF(
    "x  unix -  n n - - pipe\n flags=F\n argv=/bin/x -o\nsmtp inet n - y - - smtpd -o b=2 -o { a = 1 }")
  #expect(one == other)
  let pipe = MasterCF.Key(name: "x", type: "unix")
  #expect(one.services[pipe]?.command == "unix - n n - - pipe flags=F argv=/bin/x -o")
  #expect(one != MasterCF("smtp inet n - y - - smtpd -o a=1\nx unix - n n - - pipe flags=F argv=/bin/x -o\n"))
  #expect(MasterCF("smtp inet n\n").unreadable == ["smtp inet n"])
}

@Test func anOptionInBracesMayHaveSpaces() {
  let key = MasterCF.Key(name: "smtp", type: "inet")
  let service = MasterCF("smtp inet n - y - - smtpd -v -o { a = b, {c d} } -o x=\n").services[key]
  #expect(service?.options == ["a": "b, {c d}", "x": ""])
  #expect(service?.arguments == ["-v"])
}
