import MailHostProof
import Testing

@testable import MailHost

/// The reasons in the templates, and how they are read.
struct ReasonsTests {
  @Test(arguments: HostVariant.all) func everySettingHasAReason(_ host: HostVariant) throws {
    let settings = Reasons(try host.rendered()).settings
    #expect(settings.count > 150)
    for setting in settings {
      #expect(!setting.reason.text.isEmpty, "\(setting.file):\(setting.line) \(setting.name)")
      #expect(setting.reason.unknownNotes.isEmpty, "\(setting.file):\(setting.line) \(setting.reason.unknownNotes)")
    }
  }

  @Test func everyProofIsOneOfTheTestsAndEveryTestIsOfSomeSetting() throws {
    var seen: Set<String> = []
    for host in HostVariant.all {
      for setting in Reasons(try host.rendered()).settings { seen.formUnion(setting.reason.proofs) }
    }
    #expect(seen == Set(ProofName.allCases.map(\.rawValue)))
  }

  /// The number is the line's in the file on the host, which has no notes.
  @Test(arguments: HostVariant.all) func lineNumbersAreThoseOfTheWrittenFile(_ host: HostVariant) throws {
    for file in try host.rendered() {
      let lines = file.text.split(separator: "\n", omittingEmptySubsequences: false)
      for setting in Reasons([file]).settings where setting.value != "{ }" && !setting.value.isEmpty {
        let line = lines[setting.line - 1]
        let words = setting.value.split(separator: " ")
        #expect(words.first.map { line.contains($0) } == true, "\(setting.file):\(setting.line) \(line)")
      }
    }
  }

  private func settings(_ syntax: HostFile.Syntax, _ text: String, path: String = "/etc/x/y.conf") -> [String] {
    let file = HostFile(path: path, template: "x", syntax: syntax, reader: .nobody)
    return Reasons.settings(text, of: file).map { setting in
      "\(setting.line) \(setting.name) = \(setting.value) | \(setting.reason.text) | \(setting.reason.since ?? "any") | "
        + setting.reason.proofs.joined(separator: ",")
    }
  }

  @Test func aReasonLastsToTheNextBlankLineOrComment() {
    let text = """
      #? since: 3.9; proof: signed, gtube
      # One reason,
      # in two lines.
      a = 1
      b = 2
      # Another.
      c = 3

      d = 4
      #? since: any
      # A third.
      e = 5
      """
    #expect(
      settings(.postfixMain, text) == [
        "3 a = 1 | One reason, in two lines. | 3.9 | signed,gtube",
        "4 b = 2 | One reason, in two lines. | 3.9 | signed,gtube", "6 c = 3 | Another. | any | ",
        "8 d = 4 |  | any | ",
        "10 e = 5 | A third. | any | ",
      ])
  }

  @Test func theHeaderIsNoReason() throws {
    let file = HostFile(path: "/etc/x", template: "x", syntax: .postfixMap, reader: .nobody)
    let read = Reasons.settings(file.header + "\n# Why.\ndbpath = /x\n", of: file)
    #expect(read.map(\.reason.text) == ["Why."])
    #expect(Reasons.settings(file.header + "\ndbpath = /x\n", of: file).map(\.reason.text) == [""])
  }

  @Test func whatANoteHasBesideIsKept() {
    let file = HostFile(path: "/etc/x", template: "x", syntax: .postfixMain, reader: .nobody)
    let read = Reasons.settings("#? since: any; because\n# Why.\na = 1\n", of: file)
    #expect(read.map(\.reason.unknownNotes) == [["because"]])
  }

  @Test func eachSyntaxIsRead() {
    #expect(settings(.postfixMain, "a = 1,\n  2\nb =\n") == ["1 a = 1, 2 |  | any | ", "3 b =  |  | any | "])
    #expect(
      settings(
        .postfixMaster, "smtp  inet n - y - - smtpd\n  -o a=b\ntool unix - - n - - pipe\n  argv=/bin/true\n") == [
          "1 smtp inet = n - y - - smtpd |  | any | ", "2 smtp inet/a = b |  | any | ",
          "3 tool unix = - - n - - pipe argv=/bin/true |  | any | ",
        ])
    #expect(
      settings(.dovecot, "a {\n  b \"c\" {\n  }\n  d = 1\n}\ne = 2\n!include /x\n") == [
        "3 a/b c = { } |  | any | ", "4 a/d = 1 |  | any | ", "6 e = 2 |  | any | ", "7 !include = /x |  | any | ",
      ])
    #expect(
      settings(.rspamd, "a = 1;\nuser = {\n  \"add header\" = null;\n}\n") == [
        "1 a = 1 |  | any | ", "3 user/add header = null |  | any | ",
      ])
    #expect(settings(.redis, "dir /x y\nsave\n") == ["1 dir = /x y |  | any | ", "2 save =  |  | any | "])
    #expect(
      settings(.unit, "[Service]\nExecStart=\nExecStart=/x a=b\n") == [
        "2 Service/ExecStart =  |  | any | ", "3 Service/ExecStart = /x a=b |  | any | ",
      ])
    #expect(settings(.fail2ban, "[a]\nb = 1\n  2\n") == ["2 a/b = 1 2 |  | any | "])
    #expect(settings(.toml, "[[service]]\nname = \"x\"\n") == ["2 service/name = \"x\" |  | any | "])
    #expect(
      settings(.script, "#!/bin/sh\n# Why.\nset -e\nx=1\n", path: "/usr/lib/tool") == ["3 tool =  | Why. | any | "])
  }
}
