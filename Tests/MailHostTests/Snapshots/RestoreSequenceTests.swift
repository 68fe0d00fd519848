import MailHost
import Testing

struct RestoreSequenceTests {
  private struct Trouble: Error, Equatable { var at: String }

  /// What is done, in order, where one thing fails.
  private func steps(_ names: [String], failing: String? = nil) -> (steps: [String], failure: Trouble?) {
    let attributes = Generation.Attributes(mode: 0o640, owner: "root", group: "root")
    let entries = names.map { SnapshotEntry(name: $0, path: $0, kind: .file, attributes: attributes, modified: "") }
    var steps: [String] = []
    func take(_ step: String) throws(Trouble) {
      steps.append(step)
      if step == failing { throw Trouble(at: step) }
    }
    do throws(Trouble) {
      try RestoreSequence.run(entries) { (index) throws(Trouble) in
        try take(names[index])
      } tell: { (reader) throws(Trouble) in
        try take("tell \(reader.rawValue)")
      }
    } catch {
      return (steps, error)
    }
    return (steps, nil)
  }

  private let database = "accounts/maildb.sqlite3"

  @Test func readersAreToldOfTheDatabaseBeforeAnythingElseIsDone() {
    let told = [database, "tell dovecot", "tell postfix", "keys/a.key", "keys/b.key"]
    #expect(steps([database, "keys/a.key", "keys/b.key"]).steps == told + ["tell rspamd"])
    // The one that fails ends it, and what was put back is read all the same.
    let failed = steps([database, "keys/a.key", "keys/b.key", "sieve/x"], failing: "keys/b.key")
    #expect(failed.steps == told + ["tell rspamd"])
    #expect(failed.failure == Trouble(at: "keys/b.key"))
  }

  @Test func aReaderThatFailsHoldsNothingUp() {
    let failed = steps([database, "sieve/x"], failing: "tell dovecot")
    #expect(failed.steps == [database, "tell dovecot", "tell postfix", "sieve/x"])
    #expect(failed.failure == Trouble(at: "tell dovecot"))
  }

  @Test func nobodyIsToldOfWhatWasNotPutBack() {
    #expect(steps([database], failing: database).steps == [database])
    #expect(steps(["sieve/x", "settings/mailhost.toml"]).steps == ["sieve/x", "settings/mailhost.toml"])
  }
}
