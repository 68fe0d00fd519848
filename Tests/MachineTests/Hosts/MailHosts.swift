import MachineKit

/// Lends one machine of each release to the tests, to one at a time, always in the same state: locked.
///
/// Tests that ask for different releases run side by side. A machine that nobody waits for any more is switched off, so that tests
/// which make machines of their own get their turn.
actor MailHosts {
  private static let shared = MailHosts()

  private var hosts: [Release: MailHost] = [:]
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
      hosts.removeValue(forKey: release)?.machine.close()
      giveBack(release)
      throw error
    }
  }

  private func locked(_ release: Release) async throws -> MailHost {
    if let host = hosts[release] {
      try await host.restore()
      return host
    }
    let host = try await MailHost(release)
    hosts[release] = host
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
      hosts.removeValue(forKey: release)?.machine.close()
    }
  }
}
