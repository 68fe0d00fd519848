import Glibc
import MailbootCore
import Testing

@testable import MailbootHost

struct ReactorTests {
  private func seconds(_ body: () throws -> Void) rethrows -> Double {
    let begun = Reactor.monotonic()
    try body()
    return Reactor.monotonic() - begun
  }

  @Test func aWaitEndsAtItsDeadline() throws {
    try withReactor { reactor in
      var none: [pollfd] = []
      let took = try seconds { try reactor.wait(&none, until: Reactor.monotonic() + 0.1) }
      #expect(took >= 0.09 && took < 5)
      #expect(none.isEmpty)
    }
  }

  @Test func aDeadlineThatHasPassedIsNotWaitedFor() throws {
    try withReactor { reactor in
      var none: [pollfd] = []
      let took = try seconds { try reactor.wait(&none, until: Reactor.monotonic() - 100) }
      #expect(took < 1)
    }
  }

  @Test func aReadyDescriptorEndsTheWait() throws {
    try withReactor { reactor in
      var ends: [Int32] = [0, 0]
      try #require(pipe(&ends) == 0)
      defer { for end in ends { close(end) } }
      try #require(write(ends[1], "x", 1) == 1)
      var descriptors = [pollfd(fd: ends[0], events: Int16(POLLIN), revents: 0)]
      let took = try seconds { try reactor.wait(&descriptors, until: Reactor.monotonic() + 30) }
      #expect(took < 5)
      #expect(descriptors.count == 1)
      #expect(descriptors[0].fd == ends[0] && descriptors[0].revents & Int16(POLLIN) != 0)
    }
  }

  @Test(arguments: [SIGINT, SIGTERM, SIGHUP, SIGQUIT])
  func aSignalEndsTheWaitWithItsNumber(_ number: Int32) throws {
    try withReactor { reactor in
      sendSignalToThisThread(number)
      #expect(throws: Failure.interrupted(signal: number)) { try reactor.sleep(seconds: 30) }
    }
  }

  @Test func theEndOfTheTerminalEndsNoLock() throws {
    try withReactor { reactor in
      reactor.ignoreHangup()
      sendSignalToThisThread(SIGHUP)
      #expect(throws: Never.self) { try reactor.checkSignals() }
      sendSignalToThisThread(SIGINT)
      #expect(throws: Failure.interrupted(signal: SIGINT)) { try reactor.checkSignals() }
    }
  }

  @Test func aSignalThatCameBeforeTheWaitIsNotLost() throws {
    try withReactor { reactor in
      #expect(throws: Never.self) { try reactor.checkSignals() }
      sendSignalToThisThread(SIGINT)
      #expect(throws: Failure.interrupted(signal: SIGINT)) { try reactor.checkSignals() }
    }
  }

  @Test func controlZEndsNothing() throws {
    try withReactor { reactor in
      sendSignalToThisThread(SIGTSTP)
      #expect(throws: Never.self) { try reactor.sleep(seconds: 0.05) }
      sendSignalToThisThread(SIGINT)
      #expect(throws: Failure.interrupted(signal: SIGINT)) { try reactor.checkSignals() }
    }
  }

  @Test func afterTheFirstSignalFurtherOnesEndNothing() throws {
    try withReactor { reactor in
      sendSignalToThisThread(SIGINT)
      #expect(throws: Failure.self) { try reactor.checkSignals() }
      sendSignalToThisThread(SIGINT)
      sendSignalToThisThread(SIGTERM)
      #expect(throws: Never.self) { try reactor.sleep(seconds: 0.05) }
      #expect(throws: Never.self) { try reactor.checkSignals() }
    }
  }

  @Test func whoInsistsIsHeard() throws {
    try withReactor { reactor in
      var heard: [Int] = []
      reactor.onIgnored = { heard.append($0) }
      sendSignalToThisThread(SIGINT)
      #expect(throws: Failure.interrupted(signal: SIGINT)) { try reactor.checkSignals() }
      // Of these one is no person's.
      for signal in [SIGINT, SIGTERM, SIGQUIT] {
        sendSignalToThisThread(signal)
        #expect(throws: Never.self) { try reactor.checkSignals() }
      }
      #expect(heard == [1, 2])
    }
  }

  @Test func whoListensAgainIsInterruptedAgain() throws {
    try withReactor { reactor in
      reactor.stopListening()
      reactor.listenAgain()
      sendSignalToThisThread(SIGINT)
      #expect(throws: Failure.interrupted(signal: SIGINT)) { try reactor.checkSignals() }
    }
  }

  @Test func whoHasStoppedListeningIsNotInterrupted() throws {
    try withReactor { reactor in
      reactor.stopListening()
      sendSignalToThisThread(SIGINT)
      #expect(throws: Never.self) { try reactor.sleep(seconds: 0.05) }
    }
  }

  @Test func theSleepIsNotShorterThanAsked() throws {
    try withReactor { reactor in
      let took = try seconds { try reactor.sleep(seconds: 0.25) }
      #expect(took >= 0.25)
    }
  }

  @Test func whileItWaitsItTicksEverySecond() throws {
    try withReactor { reactor in
      var ticks = 0
      reactor.onTick = { ticks += 1 }
      try reactor.sleep(seconds: 3)
      #expect(ticks >= 2)
    }
  }
}
