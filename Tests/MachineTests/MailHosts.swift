import MachineKit
import SceneSupport

/// Lends one machine of each release to the tests, to one at a time, always in the same state: locked.
///
/// Tests that ask for different releases run side by side. A machine that nobody waits for any more is switched off, so that tests
/// which make machines of their own get their turn.
actor MailHosts {
  private static let shared = MailHosts()

  private static let state = "prepared"
  private struct Prepared {
    let machine: Machine
    let host: MailHost
  }

  private var prepared: [Release: Prepared] = [:]
  private var lent: Set<Release> = []
  private var waiting: [Release: [CheckedContinuation<Void, Never>]] = [:]

  /// Runs `test` on a locked host that nobody has touched.
  static func with(_ release: Release, _ test: @Sendable (MailHost) async throws -> Void) async throws {
    let host = try await shared.take(release)
    do {
      try await test(host)
    } catch {
      await shared.giveBack(release)
      throw error
    }
    await shared.giveBack(release)
  }

  private func take(_ release: Release) async throws -> MailHost {
    if lent.contains(release) {
      await withCheckedContinuation { waiting[release, default: []].append($0) }
    } else {
      lent.insert(release)
    }
    do {
      return try await locked(release)
    } catch {
      // A machine that cannot be put back in time is of no use to the next test either.
      prepared.removeValue(forKey: release)?.machine.close()
      giveBack(release)
      throw error
    }
  }

  private func locked(_ release: Release) async throws -> MailHost {
    if let prepared = prepared[release] {
      try await prepared.machine.restore(Self.state)
      return prepared.host
    }
    let machine = try await Machine.fresh(release)
    let host = MailHost(machine, .luks)
    do {
      try await host.prepare()
      // The vault opens at once instead of after seconds of key derivation; and what is in the page cache now is there at once after every
      // restore.
      try await machine.succeed(
        """
        set -e
        cryptsetup luksConvertKey --batch-mode --key-file \(MailHost.passphraseFile) \
          --pbkdf pbkdf2 --pbkdf-force-iterations 1000 /dev/vdb
        mailboot status >/dev/null || test $? = 2
        mailboot plan >/dev/null
        """)
      try await machine.saveState(Self.state)
    } catch {
      machine.close()
      throw error
    }
    prepared[release] = Prepared(machine: machine, host: host)
    return host
  }

  private func giveBack(_ release: Release) {
    if var queue = waiting[release], !queue.isEmpty {
      // It goes from hand to hand and stays lent.
      let next = queue.removeFirst()
      waiting[release] = queue
      next.resume()
    } else {
      lent.remove(release)
      prepared.removeValue(forKey: release)?.machine.close()
    }
  }
}
