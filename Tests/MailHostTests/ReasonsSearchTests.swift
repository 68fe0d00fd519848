import MailHost
import Testing

/// What `mailhost explain` takes for a setting.
struct ReasonsSearchTests {
  private func found(_ word: String, _ variant: String = "12") throws -> [String] {
    Reasons(try HostVariant.named(variant).rendered()).search(word).map { "\($0.file) \($0.name)" }
  }

  @Test func aNameIsFoundInEveryFile() throws {
    #expect(
      try found("smtpd_sasl_auth_enable") == [
        "/etc/postfix/main.cf smtpd_sasl_auth_enable",
        "/etc/postfix/master.cf submissions inet/smtpd_sasl_auth_enable",
        "/etc/postfix/master.cf submission inet/smtpd_sasl_auth_enable",
      ])
  }

  @Test func theEndOfAPathIsEnough() throws {
    #expect(
      try found("submission inet/smtpd_sasl_auth_enable") == [
        "/etc/postfix/master.cf submission inet/smtpd_sasl_auth_enable"
      ])
    #expect(try found("main.cf/myhostname") == ["/etc/postfix/main.cf myhostname"])
    #expect(
      try found("service lmtp/unix_listener /vault/postfix/private/dovecot-lmtp/mode") == [
        "/etc/dovecot/dovecot.conf service lmtp/unix_listener /vault/postfix/private/dovecot-lmtp/mode"
      ])
  }

  @Test func aSectionMeansAllThatIsInIt() throws {
    let inSection = try found("service lmtp")
    #expect(inSection.count == 3 && inSection.allSatisfy { $0.contains("service lmtp/") })
    #expect(try found("lmtp").count > 3)
  }

  @Test func aFileMeansAllThatIsInIt() throws {
    let all = try found("/etc/postfix/main.cf")
    #expect(all.count > 40 && all.allSatisfy { $0.hasPrefix("/etc/postfix/main.cf ") })
    #expect(try found("main.cf") == all)
    #expect(try found("learn_ham.sieve") == ["/vault/sieve/global/learn_ham.sieve learn_ham.sieve"])
  }

  @Test func whatIsNowhereIsNotFound() throws {
    #expect(try found("smtpd_banners").isEmpty)
    #expect(try found("mail_path").isEmpty)
    #expect(try found("mail_path", "13") == ["/etc/dovecot/dovecot.conf mail_path"])
  }

  @Test(arguments: [
    ("smtpd_baner", ["smtpd_banner"]), ("banner", ["smtpd_banner"]), ("zzzzzz", []), ("mod", ["mode", "model"]),
    ("smtpd_banner_text", ["smtpd_banner"]),
  ])
  func nearWordsAreGuessed(typed: String, guesses: [String]) {
    #expect(Reasons.nearest(to: typed, among: ["smtpd_banner", "mode", "model", "mydestination"]) == guesses)
  }

  @Test func whatSeveralHostsHaveIsNamedOnce() throws {
    let one = try HostVariant.named("12").rendered()
    #expect(Reasons(one + one).withoutRepetitions.settings.count == Reasons(one).withoutRepetitions.settings.count)
  }
}
