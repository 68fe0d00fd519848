import MailbootCore
import Testing

struct CallerDelaysTests {
  @Test func whoGuessesWaitsLongerAndLongerAndNobodyElseDoes() {
    var delays = CallerDelays()
    for _ in 0..<2 { delays.noteRefused(of: 1000, at: 100) }
    #expect(delays.remaining(for: 1000, at: 100) == 0)
    delays.noteRefused(of: 1000, at: 100)
    #expect(delays.remaining(for: 1000, at: 100) == 2)
    delays.noteRefused(of: 1000, at: 102)
    #expect(delays.remaining(for: 1000, at: 102) == 4)
    #expect(delays.remaining(for: 1000, at: 106) == 0)
    for second in 0..<20 { delays.noteRefused(of: 1000, at: 200 + Double(second)) }
    #expect(delays.remaining(for: 1000, at: 219) == AttemptDelay.longest)
    #expect(delays.remaining(for: 1001, at: 219) == 0)
    #expect(delays.refused(of: 1000) == 24 && delays.refused(of: 1001) == 0)
  }

  @Test func rootIsNeverHeldUp() {
    var delays = CallerDelays()
    for _ in 0..<50 { delays.noteRefused(of: 0, at: 100) }
    #expect(delays.remaining(for: 0, at: 100) == 0)
  }

  @Test func aRightPassphraseEndsAllDelays() {
    var delays = CallerDelays()
    for user in [UInt32(0), 1000, 1001] { for _ in 0..<5 { delays.noteRefused(of: user, at: 100) } }
    delays.noteAccepted()
    #expect(delays == CallerDelays())
  }
}
