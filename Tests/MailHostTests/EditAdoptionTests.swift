import MailbootCore
import TestSupport
import Testing

@testable import MailHost

private let mainFile = hostFile("/etc/postfix/main.cf", .postfixMain)
private let masterFile = hostFile("/etc/postfix/master.cf", .postfixMaster)

@Test func anEditOfMainBecomesLinesOfTheSettings() throws {
  let ours = try ourText("/etc/postfix/main.cf")
  var edited = MainCF.setting("message_size_limit", to: "10", in: ours)
  edited += "header_checks = pcre:/etc/postfix/a \"b\"\ncyrus_sasl_config_path = /etc/postfix/sasl\n"
  let adopted = adoptedOverrides(mainFile, onDisk: edited, lastWritten: ours)
  #expect(adopted.rest.isEmpty)
  #expect(
    adopted.main == [
      .init(name: "header_checks", value: "pcre:/etc/postfix/a \"b\""), .init(name: "message_size_limit", value: "10"),
    ])
}

@Test func whatNoSettingCanSayIsNamed() throws {
  let ours = try ourText("/etc/postfix/main.cf")
  let edited = ours.replacing("biff = no\n", with: "no sense\nspecial-name = 1\n")
  let adopted = adoptedOverrides(mainFile, onDisk: edited, lastWritten: ours)
  #expect(
    adopted.rest == [
      "\"no sense\" has no = and is no parameter", "biff was removed: give it the value that it is to have instead",
      "special-name is a name that [postfix.main] does not take",
    ])
}

@Test func anEditOfMasterBecomesLinesOfTheSettings() throws {
  let ours = try ourText("/etc/postfix/master.cf")
  let edited =
    ours.replacing(
      "-o syslog_name=postfix/submissions\n", with: "-o syslog_name=postfix/submissions\n  -o smtpd_delay_reject=no\n")
    + "127.0.0.1:2525 inet n - y - - smtpd\n  -o syslog_name=postfix/inner\n"
    + "archive unix - n n - - pipe\n  -o { x = a b }\n  user=vmail argv=/bin/archive ${recipient}\n"
  let adopted = adoptedOverrides(masterFile, onDisk: edited, lastWritten: ours)
  #expect(adopted.rest.isEmpty)
  #expect(
    adopted.master == [
      "submissions": [.init(name: "smtpd_delay_reject", value: "no")],
      "127.0.0.1:2525": [
        .init(name: "command", value: "inet n - y - - smtpd"), .init(name: "syslog_name", value: "postfix/inner"),
      ],
      "archive": [
        .init(
          name: "command", value: "unix - n n - - pipe -o {x = a b} user=vmail argv=/bin/archive ${recipient}")
      ],
    ])
  // What the settings say then is what was in the edited file.
  let rendered = try ourText("/etc/postfix/master.cf") { settings in
    settings.own.master = adopted.master.mapValues { lines in lines.map { ownLine($0.name, $0.value) } }
  }
  #expect(MasterCF(rendered) == MasterCF(edited))
}

@Test(arguments: [
  (
    "smtp      inet  n       -       y       -       -       smtpd\n", "smtp inet n - n - - smtpd\n",
    "smtp inet became \"inet n - n - - smtpd\": only options can be changed"
  ),
  (
    "showq     unix  n       -       y       -       -       showq\n",
    "showq unix n - y - - showq -o a=b\n",
    "showq unix: -o a=b: only submission and submissions take options of your own"
  ),
  (
    "showq     unix  n       -       y       -       -       showq\n", "",
    "the service showq unix was removed: it is one that mailhost always writes"
  ),
  (
    "  -o smtpd_tls_security_level=encrypt\n", "",
    "submission inet: the option smtpd_tls_security_level was removed: give it the value that it is to have instead"
  ),
  (
    "  -o smtpd_tls_security_level=encrypt\n", "  -o smtpd_tls_security_level=encrypt\n  -o { a = b c }\n",
    "submission inet: a has a space: make it a parameter in main.cf and refer to that, as $my_list"
  ), ("", "one two\n", "\"one two\" is no service: it has too few words"),
])
func anEditOfMasterThatCannotBeAdoptedIsNamed(old: String, new: String, expected: String) throws {
  let ours = try ourText("/etc/postfix/master.cf")
  #expect(old.isEmpty || ours.contains(old))
  let edited = old.isEmpty ? ours + new : ours.replacing(old, with: new)
  let adopted = adoptedOverrides(masterFile, onDisk: edited, lastWritten: ours)
  #expect(adopted.rest == [expected])
}

@Test(arguments: [
  ("/etc/dovecot/dovecot.conf", HostFile.Syntax.dovecot, "[dovecot] extra"),
  ("/etc/rspamd/local.d/arc.conf", .rspamd, "/etc/rspamd/override.d/arc.conf"),
  ("/etc/redis/mailhost.conf", .redis, "no place"),
])
func otherFilesAreRefusedWithTheirPlace(path: String, syntax: HostFile.Syntax, expected: String) {
  let adopted = adoptedOverrides(hostFile(path, syntax), onDisk: "b\n", lastWritten: "a\n")
  #expect(adopted.rest.count == 1 && adopted.rest.first?.contains(expected) == true)
}

@Test func theDropInKeepsWhatItHad() throws {
  let path = "/etc/mailboot/mailhost.toml.d/90-adopted.toml"
  var own = HostSettings.Own()
  let there = Origin(file: path, line: 4, column: 1)
  own.main = [
    .init(name: "a", value: "old", origin: there), .init(name: "b", value: "x\ty", origin: there),
    ownLine("elsewhere", "1"),
  ]
  own.master = ["submission": [.init(name: "c", value: "1", origin: there)]]
  var adopted = AdoptedOverrides()
  adopted.main = [.init(name: "a", value: "new \"1\" \\")]
  adopted.master = ["127.0.0.1:2525": [.init(name: "command", value: "inet n - y - - smtpd")]]
  let text = adopted.dropIn(keeping: own, of: path)
  let directory = try TemporaryDirectory()
  let names = "mail_server_hostname = \"mail.example.org\"\nadmin_email = \"a@example.org\"\n"
  let settings = try settings(of: directory.write("settings.toml", names + text))
  #expect(settings.own.main.map(\.name) == ["b", "a"])
  #expect(settings.own.main.map(\.value) == ["x\ty", "new \"1\" \\"])
  #expect(settings.own.master["submission"]?.map(\.value) == ["1"])
  #expect(settings.own.master["127.0.0.1:2525"]?.map(\.value) == ["inet n - y - - smtpd"])
}
