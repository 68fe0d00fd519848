import TestSupport
import Testing

@testable import MailHost

private let main = rendered("/etc/postfix/main.cf", .postfixMain, "# why\na = 2\nb = 1\n")
private let written = "a = 1\nb = 1\n"

private let cases: [(String?, String?, FileState)] = [
  (nil, "", .absent), ("# why\na = 2\nb = 1\n", nil, .same), ("b = 1\na = 2\n", written, .same),
  (written, written, .ours), ("# a remark\nb = 1\na = 1\n", written, .ours),
  ("a = 2\nb = 1\n", "a = 2\nb = 1\n", .ours),
  ("a = 1\nb = 1\ncyrus_sasl_config_path = /etc/postfix/sasl\n", written, .package),
  ("a = 1\nb = 1\ncyrus_sasl_config_path = /home\n", written, .edited), ("a = 1\nb = 5\n", written, .edited),
  ("a = 1\n", written, .edited), ("a = 1\nb = 1\nnonsense\n", written, .edited), ("c = 3\n", nil, .foreign),
]

@Test(arguments: cases)
func aMainIsToUs(onDisk: String?, lastWritten: String?, expected: FileState) {
  #expect(state(of: main, onDisk: onDisk, lastWritten: lastWritten, isStock: false) == expected)
}

@Test func whatThePackagePutThereIsNobodys() {
  #expect(state(of: main, onDisk: "c = 3\n", lastWritten: nil, isStock: true) == .stock)
  // Once it was ours, it is an edit to put the package's back.
  #expect(state(of: main, onDisk: "c = 3\n", lastWritten: written, isStock: true) == .edited)
}

@Test func otherFilesAreComparedByLinesLessTrailingSpace() {
  let file = rendered("/etc/dovecot/dovecot.conf", .dovecot, "a = 1\nb {\n  c = 2\n}\n")
  let old = "a = 0\n"
  #expect(state(of: file, onDisk: "a = 1  \r\nb {\n  c = 2\t\n}\n\n", lastWritten: old, isStock: false) == .same)
  #expect(state(of: file, onDisk: "a = 0 \n", lastWritten: old, isStock: false) == .ours)
  #expect(state(of: file, onDisk: "a = 0\n# mine\n", lastWritten: old, isStock: false) == .edited)
  #expect(state(of: file, onDisk: "a = 1\nb {\nc = 2\n}\n", lastWritten: old, isStock: false) == .edited)
}

/// What the postinst of 3.10 does to a file that we wrote on Debian 12, in its own order.
@Test func theUpgradeToDebian13IsNoEditOfAnybodys() throws {
  let ours = try ourText("/etc/postfix/main.cf")
  var text = MainCF.setting("readme_directory", to: "no", in: ours)
  let before = text
  text = MainCF.setting("cyrus_sasl_config_path", to: "/etc/postfix/sasl", in: text)
  text = MainCF.setting("html_directory", to: "/usr/share/doc/postfix/html", in: text)
  text = MainCF.setting("readme_directory", to: "/usr/share/doc/postfix", in: text)
  let commented = text.replacing("html_directory =", with: "#html_directory =")
    .replacing("readme_directory =", with: "#readme_directory =")
  let file = rendered("/etc/postfix/main.cf", .postfixMain, try ourText("/etc/postfix/main.cf", on: .debian13))
  for after in [text, commented] {
    #expect(state(of: file, onDisk: after, lastWritten: before, isStock: false) == .package)
  }
  // What somebody does besides is still seen.
  let more = MainCF.setting("smtpd_helo_required", to: "no", in: commented)
  #expect(state(of: file, onDisk: more, lastWritten: before, isStock: false) == .edited)
}

@Test func aServiceThatThePostinstAddsIsNoEdit() {
  let written = "smtp inet n - y - - smtpd\n"
  let file = rendered("/etc/postfix/master.cf", .postfixMaster, "smtp inet n - y - 5 smtpd\n")
  let retry = "retry     unix  -       -       y       -       -       error\n"
  #expect(state(of: file, onDisk: written + retry, lastWritten: written, isStock: false) == .package)
  let own = "retry     unix  -       -       n       -       -       error\n"
  #expect(state(of: file, onDisk: written + own, lastWritten: written, isStock: false) == .edited)
  #expect(state(of: file, onDisk: retry, lastWritten: written, isStock: false) == .edited)
}
