import MailHost
import Testing

struct KeyRotationTests {
  private static let keep = 8 * SimulatedSigningHost.day

  private func rotation(_ host: SimulatedSigningHost) -> KeyRotation<SimulatedSigningHost> {
    KeyRotation(host: host, keep: Self.keep, algorithms: [.rsa])
  }

  /// Calls it every hour for some days.
  private func pass(
    _ days: Double, _ host: SimulatedSigningHost, _ wish: KeyRotation<SimulatedSigningHost>.Wish = .begin
  )
    -> [RotationEvent]
  {
    var events: [RotationEvent] = []
    for _ in 0..<Int(days * 24) {
      host.time += 3600
      host.send()
      events += (try? rotation(host).advance(host.domain, wish)) ?? []
      host.verifyOld(days: 7)
    }
    return events
  }

  @Test func aWholeRotationGoesThroughAndLeavesOneKey() throws {
    let host = SimulatedSigningHost()
    host.lag = 3600 * 5
    _ = try rotation(host).advance(host.domain, .begin)
    #expect(host.table == ["202001"], "it waits for the server that lags")
    let events = pass(10, host, .whenOlder(365 * SimulatedSigningHost.day))
    #expect(host.table == ["new1"] && host.loaded == ["new1"])
    #expect(host.files.keys.sorted() == ["new1"])
    #expect(events.contains(.removed(selector: "202001")))
    #expect(host.faults == [])
  }

  /// Who calls it again for the next step gets no other key.
  @Test func oneRotationIsEndedBeforeTheNextOneBegins() throws {
    let host = SimulatedSigningHost()
    _ = pass(7, host, .begin)
    #expect(host.files.keys.sorted() == ["202001", "new1"] && host.table == ["new1"])
    _ = try rotation(host).advance(host.domain, .beginAgain)
    #expect(host.table == ["new2"])
    #expect(host.faults == [])
  }

  @Test func nothingSignsThatAServerDoesNotShow() throws {
    let host = SimulatedSigningHost()
    host.lag = 1e9
    _ = pass(20, host)
    #expect(host.table == ["202001"])
    #expect(host.files.keys.sorted() == ["202001", "new1"], "one new key, however often it was called")
    #expect(host.faults == [])
  }

  @Test func aRecordThatAPersonPublishesIsWaitedFor() throws {
    let host = SimulatedSigningHost()
    host.publication = .byHand
    let events = try rotation(host).advance(host.domain, .begin)
    guard case .toPublish(let record) = try #require(events.dropFirst().first) else {
      Issue.record("\(events)")
      return
    }
    #expect(record.name == "new1._domainkey.example.org")
    host.published["new1"] = (host.time, .infinity)
    #expect(try rotation(host).advance(host.domain, .begin).contains(.switched(from: ["202001"], to: record)))
    let late = pass(9, host, .goOn)
    #expect(late.contains { if case .toWithdraw = $0 { true } else { false } })
    #expect(host.files["202001"] != nil, "the file stays while the record does")
    host.published["202001"]?.until = host.time
    #expect(pass(1, host, .goOn).contains(.removed(selector: "202001")))
    #expect(host.faults == [])
  }

  /// Kill at each step, and go on later.
  @Test(arguments: [0, 3600 * 5.0]) func killedAnywhereItGoesOn(lag: Double) throws {
    for death in 0... {
      let host = SimulatedSigningHost()
      host.lag = lag
      host.callsUntilDeath = death
      var wasKilled = false
      for _ in 0..<24 * 10 where !wasKilled {
        do {
          _ = try rotation(host).advance(host.domain, .whenOlder(365 * SimulatedSigningHost.day))
        } catch {
          wasKilled = true
        }
        host.time += 3600
      }
      host.callsUntilDeath = nil
      host.send()
      _ = pass(20, host, .whenOlder(365 * SimulatedSigningHost.day))
      #expect(host.faults == [], "killed at call \(death)")
      #expect(host.table == ["new1"] || host.table == ["new2"], "killed at call \(death)")
      #expect(host.loaded == host.table && host.files["202001"] == nil, "killed at call \(death)")
      #expect(host.files.values.allSatisfy { $0.mark == nil }, "killed at call \(death)")
      if !wasKilled {
        #expect(death > 20)
        return
      }
    }
  }

  /// A step that fails is not the end: the disk is full once.
  @Test func aStepThatFailsOnceIsDoneByTheNextCall() throws {
    for failing in 1...40 {
      let host = SimulatedSigningHost()
      host.failingCall = failing
      _ = pass(20, host, .whenOlder(365 * SimulatedSigningHost.day))
      #expect(host.faults == [], "call \(failing)")
      #expect(host.table.count == 1 && host.table != ["202001"] && host.loaded == host.table, "call \(failing)")
      #expect(host.files.count == 1, "call \(failing): \(host.files.keys)")
    }
  }

  @Test func withoutTheDNSNothingChanges() throws {
    let host = SimulatedSigningHost()
    host.isNameServerSilent = true
    _ = pass(20, host)
    #expect(host.table == ["202001"] && host.published["new1"] == nil)
    #expect(host.faults == [])
  }

  @Test func aYoungKeySignsOn() throws {
    let host = SimulatedSigningHost()
    host.files["202001"]?.made = host.time
    #expect(pass(20, host, .whenOlder(365 * SimulatedSigningHost.day)) == [])
    #expect(host.table == ["202001"])
  }

  @Test func aLostKeyIsReplacedByOneThatTheWorldKnows() throws {
    let host = SimulatedSigningHost()
    _ = try rotation(host).advance(host.domain, .begin)
    #expect(host.table == ["new1"])
    host.files["new1"] = nil
    let events = try rotation(host).advance(host.domain, .goOn)
    #expect(events.contains(.broken(selector: "new1", "is missing")))
    #expect(host.table == ["202001"], "its record is still there")
    #expect(host.files["202001"]?.mark == nil)
  }

  @Test func anUnreadableKeyWithoutAnotherIsReplacedOnceTheNewOneIsKnown() throws {
    let host = SimulatedSigningHost()
    host.publication = .byHand
    host.files["202001"]?.problem = "is empty (0 bytes)"
    let events = try rotation(host).advance(host.domain, .goOn)
    #expect(events.first == .broken(selector: "202001", "is empty (0 bytes)"))
    #expect(host.table == ["202001"], "unpublished it would be no better")
    host.published["new1"] = (host.time, .infinity)
    _ = try rotation(host).advance(host.domain, .goOn)
    #expect(host.table == ["new1"])
  }

  @Test func aClockThatWasAheadKeepsTheRecordLonger() throws {
    let host = SimulatedSigningHost()
    host.time += 86400 * 2
    _ = try rotation(host).advance(host.domain, .begin)
    host.time -= 86400 * 2
    let events = try rotation(host).advance(host.domain, .goOn)
    #expect(events.contains(.clock(selector: "202001")))
    #expect(host.isShown("202001"))
  }

  @Test func aClockADayAheadStillKeepsTheRecordForAWeek() throws {
    let host = SimulatedSigningHost()
    _ = try rotation(host).advance(host.domain, .begin)
    let switched = host.time
    host.time += 6.9 * 86400 + 86400
    _ = try rotation(host).advance(host.domain, .goOn)
    #expect(host.isShown("202001"), "\(host.time - switched)")
  }
}
