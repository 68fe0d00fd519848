import Foundation
import JSON
import MailHost
import Testing

/// What `mailhost explain` prints.
struct ReasonsExplainTests {
  @Test func aSettingIsToldWithAllThatIsKnownOfIt() throws {
    let run = try MailhostRun.explain("smtpd_forbid_bare_newline")
    #expect(run.status == 0 && run.complaint.isEmpty)
    let number = try #require(
      HostVariant.named("12").text("main.cf")?.components(separatedBy: "\n")
        .firstIndex(of: "smtpd_forbid_bare_newline = normalize"))
    #expect(
      run.output == """
        smtpd_forbid_bare_newline = normalize
          where    /etc/postfix/main.cf, line \(number + 1)
          why      Only <CR><LF>.<CR><LF> ends a message. Else somebody hides a second,
                   forged message in the first one (SMTP smuggling).
          since    3.7.10 and 3.8.5 know it, on from 3.9
          proof    smuggling: No odd line end hides a second message in a first one, and
                   no command is taken ahead of its turn.

        """)
  }

  @Test func severalAreToldInShort() throws {
    let run = try MailhostRun.explain("smtpd_sasl_auth_enable")
    #expect(run.lines.filter { $0.hasPrefix("  where") }.count == 2)
    #expect(!run.output.contains("  since") && run.output.contains("submission inet/smtpd_sasl_auth_enable = yes\n"))
  }

  @Test func aKeyOfTheSettingsIsToldWithItsPlace() throws {
    let unset = try MailhostRun.explain("dkim_selector")
    #expect(unset.lines.first == "dkim_selector = \"202001\"")
    #expect(unset.output.contains("  default  \"202001\"\n") && unset.output.contains("  where    not in "))
    let set = try MailhostRun.explain("dkim_selector", settings: neededSettings + "dkim_selector = \"2026\"\n")
    #expect(set.lines.first == "dkim_selector = \"2026\"")
    #expect(set.output.contains("mailhost.toml, line 3\n"))
  }

  @Test func aPasswordHashIsNotShown() throws {
    let users = "mail_users = [{ email = \"a@b.org\", password_hash = \"$6$secret\" }]\n"
    for format in ["text", "json"] {
      let run = try MailhostRun.explain("mail_users", "--format", format, settings: neededSettings + users)
      #expect(run.status == 0 && !run.output.contains("secret"))
    }
  }

  @Test func whatAnotherVersionHasIsToldSo() throws {
    let run = try MailhostRun.explain("mail_path")
    #expect(run.status == 0)
    #expect(run.complaint.hasPrefix("This host's files do not have it; "))
    #expect(run.lines.first == "mail_path = /vault/vmail/%{user | domain}/%{user | username}")
    #expect(try MailhostRun.explain("quota_rule").lines.first == "plugin/quota_rule = *:storage=2G")
  }

  @Test func anUnknownKeyIsNoSuccess() throws {
    let near = try MailhostRun.explain("smtpd_forbid_bare_newlines")
    #expect(near.status == 64 && near.output.isEmpty)
    #expect(
      near.complaint == """
        error: smtpd_forbid_bare_newlines is no setting of this mail host
        hint: did you mean smtpd_forbid_bare_newline?

        """)
    #expect(try MailhostRun.explain("xyzzy").complaint.contains("hint: `mailhost explain` lists them all"))
  }

  @Test func wrongSettingsAreNotExplained() throws {
    let run = try MailhostRun.explain("quota", settings: neededSettings + "quota = 3\n")
    #expect(run.status == 78 && run.output.isEmpty)
    #expect(run.complaint.contains("mailhost.toml:3:1: quota is an integer; expected a size such as \"2G\""))
  }

  @Test func withoutAKeyAllAreListedOneLineEach() throws {
    let run = try MailhostRun.explain()
    let files = run.lines.filter { !$0.hasPrefix(" ") }
    #expect(files.dropFirst() == files.dropFirst().sorted()[...])
    #expect(run.lines.contains("  limits.burst = 100"))
    #expect(run.lines.contains("  submission inet/smtpd_sasl_auth_enable = yes"))
    #expect(run.lines.count > 200)
  }

  @Test func explanationsFitIntoEightyColumns() throws {
    let settings = try HostVariant.named("12").settings
    #expect(settings.hostName == "mail.example.org")
    for file in ["main.cf", "master.cf", "ratelimit.conf", "limits", "mail_ssl_cert"] {
      for line in try MailhostRun.explain(file).lines where line.hasPrefix("  ") {
        #expect(line.count <= 80, "\(line)")
      }
    }
  }

  @Test func theSameAsJSON() throws {
    let run = try MailhostRun.explain("burst", "--format", "json")
    let json = try #require(JSONText(parsing: Array(run.output.utf8)))
    func member(_ json: JSONText?, _ name: String) -> JSONText? { json?.members?.first { $0.0 == name }?.1 }
    #expect(member(json, "example_values")?.flag == false)
    let key = try #require(member(json, "mailhost_toml")?.items?.first)
    #expect(member(key, "key")?.text == "limits.burst" && member(key, "default")?.text == "100")
    let setting = try #require(member(json, "settings")?.items?.first)
    #expect(member(setting, "name")?.text == "most/burst")
    #expect(member(setting, "value")?.text == "100" && member(setting, "line")?.number != nil)
    let other = try MailhostRun.explain("myhostname", "--format", "json")
    let proofs = member(member(JSONText(parsing: Array(other.output.utf8)), "settings")?.items?.first, "proofs")
    #expect(member(proofs?.items?.first, "name")?.text == "greeting")
    #expect(member(proofs?.items?.first, "shows")?.text?.isEmpty == false)
  }

  @Test func missingTemplatesAreAFaultOfTheInstallation() throws {
    let run = try MailhostRun(["explain", "--templates", "/nowhere", "burst"])
    #expect(run.status == 1 && run.complaint.contains("hint: reinstall the package mailboot"))
  }
}
