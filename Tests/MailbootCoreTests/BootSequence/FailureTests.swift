import MailbootCore
import Testing

/// Exit codes and the sentences for failures.
struct FailureTests {
  private static let vault = { @Sendable (kind: VaultFailure.Kind) in
    Failure.vault(VaultFailure(kind, "why"), device: "/dev/vdb")
  }

  @Test(
    arguments: [
      (.passphraseRefused(tries: 3, empty: false, endsInCarriageReturn: false), 10),
      (vault(.notAccepted), 10), (vault(.noDevice), 11), (vault(.notLUKS), 11), (vault(.damagedHeader), 11),
      (vault(.nameTaken), 11), (vault(.noMemory), 11), (vault(.noDeviceMapper), 11), (vault(.busy), 11),
      (vault(.other), 11), (vault(.noDirectory), 11), (vault(.notGocryptfs), 11), (vault(.damagedConfiguration), 11),
      (vault(.noProgram), 11), (.passphraseUnusable("why"), 64), (.broken("why"), 13), (.stuck("why"), 13),
      (.mount(.noFUSE("why"), path: "/vault"), 12), (.mount(.missing, path: "/vault"), 12),
      (.deviceNotFound(wanted: "UUID=1", waited: 30), 11), (.noLUKSDevice, 11), (.severalLUKSDevices(["/dev/vda"]), 11),
      (.mount(.notEmpty(["x"]), path: "/vault"), 12), (.verification([]), 13), (.locked, 13),
      (.service(name: "postfix", .masked(unit: "postfix.service")), 14), (.busy(nil), 15),
      (.interrupted(signal: 15), 130),
      (.notRoot(verb: "unlock"), 77), (.system("no worker"), 1), (.noBus("refused"), 1),
      (.configuration(ConfigurationError(issues: [])), 78), (.usage("no", hint: nil), 64),
      (.rollback(of: .locked, trouble: ["close: busy"]), 13),
      (.rollback(of: .interrupted(signal: 2), trouble: ["close: busy"]), 130),
    ] as [(Failure, Int32)])
  func exitCodesAreThoseOfTheContract(_ failure: Failure, _ code: Int32) {
    #expect(failure.exitCode.rawValue == code)
    // One line, with nothing but the news.
    #expect(!failure.summary.isEmpty && !failure.summary.contains("\n") && !failure.summary.hasPrefix("error"))
  }

  @Test(
    arguments: [
      (.passphraseRefused(tries: 1, empty: false, endsInCarriageReturn: false), "the passphrase was not accepted"),
      (
        .passphraseRefused(tries: 3, empty: false, endsInCarriageReturn: false),
        "the passphrase was not accepted (3 tries)"
      ),
      (.passphraseRefused(tries: 0, empty: true, endsInCarriageReturn: false), "the passphrase is empty"),
      (.deviceNotFound(wanted: "LABEL=x", waited: 30), "the vault's device LABEL=x did not appear within 30 s"),
      (.deviceNotFound(wanted: "/img", waited: 0), "there is no device /img"),
      (
        .busy(BusyRecord(pid: 7, verb: "unlock", by: "eve", phase: .starting, since: 0)),
        "another run is busy with the vault: unlock by eve, process 7, now starting"
      ),
      (
        .mount(.notEmpty(["mail", "www"]), path: "/vault"), "the mount point /vault is not empty: mail, www"
      ),
      (
        .service(name: "rspamd", .silent(probe: "http://[::1]/", reason: "refused", seconds: 90, journal: [])),
        "rspamd is active but http://[::1]/ did not answer within 90 s: refused"
      ),
    ] as [(Failure, String)])
  func aFailureSaysWhatHappenedAndWhy(_ failure: Failure, _ summary: String) {
    #expect(failure.summary == summary)
  }

  @Test func severalFailedChecksAreAllNamed() {
    let one = CheckRecord(name: .database, result: .fail, detail: "empty", hint: nil, at: 0)
    let two = CheckRecord(name: .dkim, result: .fail, detail: "no key", hint: nil, at: 0)
    #expect(Failure.verification([one]).summary == "the check \"database\" failed: empty")
    #expect(Failure.verification([one, two]).summary == "2 checks failed: database: empty; dkim: no key")
  }
}
