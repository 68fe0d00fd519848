import MailbootCore
import Testing

/// Two vaults: what each of them holds up, and what not.
struct SeveralVaultsTests {
  private static let all: Set<String> = ["redis-server", "rspamd", "dovecot", "postfix", "borg"]
  private static let mail: Set<String> = all.subtracting(["borg"])
  private static let trouble = Failure.vault(VaultFailure(.other, "it is bent"), device: "/dev/vdc")

  @Test func onePassphraseOpensBothTheFirstOneFirst() throws {
    let host = SimulatedTwoVaults()
    let (run, failure) = try host.unlock()
    #expect(failure == nil)
    #expect(run.closed == [])
    #expect(host.backup.mounted)
    #expect(host.machine.state.running == Self.all)
    #expect(Array(host.machine.changes.prefix(4)) == ["open", "mount", "open backup", "mount backup"])
    #expect(run.steps.map(\.name).contains("open backup"))
  }

  @Test func anotherPassphraseLeavesTheSecondClosedAndMailUp() throws {
    let host = SimulatedTwoVaults()
    host.backup.hasPassphraseOfItsOwn = true
    let (run, failure) = try host.unlock()
    #expect(failure == nil)
    #expect(host.machine.state.running == Self.mail)
    let closed = try #require(run.closed.first)
    #expect(closed.wantsPassphrase)
    #expect(
      closed.summary == "the vault backup stays closed: its passphrase is another one; not started: borg")
    // It has not failed: it waits for the next question.
    #expect(!run.steps.contains { $0.outcome == .failed })
  }

  @Test func theSecondPassphraseCompletesTheRest() throws {
    let host = SimulatedTwoVaults()
    host.backup.hasPassphraseOfItsOwn = true
    _ = try host.unlock()
    host.backup.hasPassphraseOfItsOwn = false
    let (run, failure) = try host.unlock(onlyFurther: true)
    #expect(failure == nil)
    #expect(run.closed == [])
    #expect(host.machine.state.running == Self.all)
    #expect(host.machine.log.filter { $0 == "start borg" }.count == 1)
  }

  @Test func aRefusedSecondPassphraseChangesNothing() throws {
    let host = SimulatedTwoVaults()
    host.backup.hasPassphraseOfItsOwn = true
    _ = try host.unlock()
    let before = host.machine.log.count
    let (run, failure) = try host.unlock(onlyFurther: true)
    #expect(failure == .passphraseRefused(tries: 1, empty: false, endsInCarriageReturn: false))
    #expect(run.closed.map(\.name) == ["backup"])
    #expect(Array(host.machine.log[before...]) == ["open backup"])
    #expect(host.machine.state.running == Self.mail)
  }

  @Test func aKeyFileNeedsNoPassphrase() throws {
    let host = SimulatedTwoVaults()
    host.machine.foundOpen()
    host.backup.hasKeyFile = true
    let (run, failure) = try host.unlock(nil)
    #expect(failure == nil)
    #expect(run.closed == [])
    #expect(host.backup.mounted)
  }

  @Test(arguments: ["open", "mount"])
  func aSecondVaultThatFailsHoldsUpOnlyWhatNamesIt(_ operation: String) throws {
    let host = SimulatedTwoVaults()
    host.backup.failing[operation] = Self.trouble
    let (run, failure) = try host.unlock()
    #expect(failure == nil)
    #expect(host.machine.state.running == Self.mail)
    #expect(!host.backup.open, "open without a mount it serves nobody")
    let closed = try #require(run.closed.first)
    #expect(!closed.wantsPassphrase)
    #expect(closed.why == "/dev/vdc could not be opened or closed: it is bent")
    #expect(closed.services == ["borg"])
    #expect(run.steps.contains { $0.name == "\(operation) backup" && $0.outcome == .failed })
  }

  @Test func aDoorBehindAServiceOfAClosedVaultStaysShut() throws {
    let host = SimulatedTwoVaults { configuration in
      configuration.services[2].vaults = ["backup"]
    }
    host.backup.hasPassphraseOfItsOwn = true
    let (run, failure) = try host.unlock()
    #expect(failure == nil)
    #expect(host.machine.state.running == ["redis-server", "rspamd"])
    #expect(run.closed.first?.services == ["dovecot", "postfix", "borg"])
  }

  @Test func aDoorThatNamesAClosedVaultIsNotHeldEither() throws {
    let host = SimulatedTwoVaults { configuration in configuration.services[3].vaults = ["backup"] }
    host.machine.holds["postfix"] = []
    host.backup.hasPassphraseOfItsOwn = true
    let (_, failure) = try host.unlock()
    #expect(failure == nil)
    #expect(host.machine.position("prepare postfix") == nil)
    #expect(host.machine.state.running == ["redis-server", "rspamd", "dovecot"])
  }

  @Test func aDirectoryOfAClosedVaultIsNotShown() throws {
    let host = SimulatedTwoVaults { configuration in
      configuration.binds = [
        Configuration.Bind(from: "/vault-backup/x", to: "/srv/x"), Configuration.Bind(from: "/vault/w", to: "/srv/w"),
      ]
    }
    host.backup.hasPassphraseOfItsOwn = true
    let (_, failure) = try host.unlock()
    #expect(failure == nil)
    #expect(host.machine.state.binds == [1])
  }

  /// Every operation of a whole run fails once: whatever was changed is taken back, or the second vault alone is left out.
  @Test func whateverFailsTheRunTakesBackBothVaultsOrLeavesOutTheSecond() throws {
    let reference = SimulatedTwoVaults()
    _ = try reference.unlock()
    var seen = 0
    for operation in reference.machine.changes {
      let host = SimulatedTwoVaults()
      let words = operation.split(separator: " ").map(String.init)
      if words.last == "backup" {
        host.backup.failing[words[0]] = Self.trouble
      } else if words[0] == "start" {
        host.machine.serviceFailures[words[1]] = .missing(unit: words[1])
      } else {
        host.machine.failing[operation] = Self.trouble
      }
      let (_, failure) = try host.unlock()
      seen += 1
      if words.last == "backup" {
        #expect(failure == nil, "\(operation)")
        #expect(host.machine.state.running == Self.mail, "\(operation)")
      } else {
        #expect(failure != nil, "\(operation)")
        #expect(host.machine.state == .init(), "\(operation)")
      }
      if words.last == "backup" || failure != nil { #expect(!host.backup.open && !host.backup.mounted, "\(operation)") }
    }
    #expect(seen >= 9)
  }

  @Test func whatWasOpenBeforeStaysOpenWhenTheRunIsTakenBack() throws {
    let host = SimulatedTwoVaults()
    host.backup.foundOpen()
    host.machine.serviceFailures["postfix"] = .missing(unit: "postfix")
    let (_, failure) = try host.unlock()
    #expect(failure != nil)
    #expect(host.backup.mounted)
    #expect(host.machine.state == .init())
  }

  @Test func ctrlCInTheSecondVaultTakesAllBack() throws {
    let host = SimulatedTwoVaults()
    host.backup.failing["open"] = SimulatedMachine.interrupt
    let (_, failure) = try host.unlock()
    #expect(failure == SimulatedMachine.interrupt)
    #expect(host.machine.state == .init())
  }

  // MARK: Lock

  @Test func aLockClosesTheSecondAndThenTheFirst() throws {
    let host = SimulatedTwoVaults()
    _ = try host.unlock()
    let before = host.machine.log.count
    let (_, failure) = host.lock()
    #expect(failure == nil)
    #expect(
      Array(host.machine.log[before...].suffix(4)) == ["unmount backup", "close backup", "unmount", "close"])
    #expect(host.machine.state == .init())
    #expect(!host.backup.open)
  }

  @Test(arguments: ["unmount", "close"])
  func aSecondVaultThatStaysKeepsEverythingUp(_ operation: String) throws {
    let host = SimulatedTwoVaults()
    _ = try host.unlock()
    host.backup.failing[operation] = Self.trouble
    let (_, failure) = host.lock()
    #expect(failure != nil)
    #expect(host.machine.state.running == Self.all)
    #expect(host.backup.mounted)
  }

  @Test func aFirstVaultThatStaysBringsMailBackButNotWhatIsClosed() throws {
    let host = SimulatedTwoVaults()
    _ = try host.unlock()
    host.machine.failing["unmount"] = .mount(.refused(result: "x", journal: []), path: "/vault")
    let (_, failure) = host.lock()
    guard case .rollback(_, let trouble)? = failure else {
      Issue.record("\(String(describing: failure))")
      return
    }
    #expect(host.machine.state.running == Self.mail)
    #expect(trouble.contains("borg stays stopped: the vault backup is closed"))
  }
}
