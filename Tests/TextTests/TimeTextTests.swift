import Foundation
import Testing
import Text

/// Times, ages and numbers as people and scripts read them.
struct TimeTextTests {
  @Test(
    arguments: [
      (0, "1970-01-01T00:00:00Z"), (1_795_359_600, "2026-11-22T15:00:00Z"), (951_782_399, "2000-02-28T23:59:59Z"),
      (951_782_400, "2000-02-29T00:00:00Z"), (951_868_800, "2000-03-01T00:00:00Z"),
      (1_709_164_800, "2024-02-29T00:00:00Z"),
      (4_107_542_400, "2100-03-01T00:00:00Z"), (4_107_542_399, "2100-02-28T23:59:59Z"), (-1, "1969-12-31T23:59:59Z"),
      (-86_400, "1969-12-31T00:00:00Z"), (-86_401, "1969-12-30T23:59:59Z"), (-2_203_891_200, "1900-03-01T00:00:00Z"),
      (1_798_761_599, "2026-12-31T23:59:59Z"), (1.999, "1970-01-01T00:00:01Z"), (-0.001, "1969-12-31T23:59:59Z"),
    ] as [(Double, String)])
  func aTimestampIsUTCInWholeSeconds(_ seconds: Double, _ text: String) {
    #expect(timestamp(seconds) == text)
  }

  @Test(arguments: [0.0, 1_795_359_600, 951_782_400, 4_107_542_399, -1, -2_203_891_200, 1_798_761_599])
  func aTimestampIsReadAsItWasWritten(_ seconds: Double) {
    #expect(secondsSince1970(timestamp: timestamp(seconds)) == seconds)
  }

  @Test(
    arguments: [
      "", "2026-11-22", "2026-11-22T15:00:00+00:00", "2026-02-30T00:00:00Z", "2026-13-01T00:00:00Z",
      "2026-11-22T24:00:00Z", "2026-11-22 15:00:00Z", "2026-11-22T15:00:60Z", "20x6-11-22T15:00:00Z",
    ])
  func whatIsNoTimestampIsNone(_ text: String) {
    #expect(secondsSince1970(timestamp: text) == nil)
  }

  @Test func everyDayOfFourHundredYearsIsTheCalendars() throws {
    let calendar = ISO8601DateFormatter()
    for day in stride(from: -36_525.0, through: 120_000, by: 13) {
      let seconds = day * 86_400 + 3661
      try #require(timestamp(seconds) == calendar.string(from: Date(timeIntervalSince1970: seconds)))
    }
  }

  @Test(arguments: [Double.nan, .infinity, -.infinity, 1e300, -1e300])
  func aTimeThatIsNoneDoesNotEndTheProgram(_ seconds: Double) {
    #expect(timestamp(seconds).hasSuffix("Z"))
    #expect(!age(seconds).isEmpty)
    #expect(!decimal(seconds, places: 3).isEmpty)
  }

  @Test(
    arguments: [
      (-5, "0 s"), (0, "0 s"), (119.9, "119 s"), (120, "2 min"), (7199, "119 min"), (7200, "2 h"), (172_799, "47 h"),
      (172_800, "2 days"), (864_000, "10 days"),
    ] as [(Double, String)])
  func anAgeHasOneUnit(_ seconds: Double, _ text: String) {
    #expect(age(seconds) == text)
  }

  @Test(
    arguments: [
      (0, 3, "0.000"), (12.3456, 3, "12.346"), (0.0004, 3, "0.000"), (0.9996, 3, "1.000"), (-1.5, 1, "-1.5"),
      (-0.01, 1, "0.0"), (7.6, 0, "8"), (1234.05, 2, "1234.05"), (3, 1, "3.0"),
    ] as [(Double, Int, String)])
  func aNumberIsRoundedToItsPlaces(_ number: Double, _ places: Int, _ text: String) {
    #expect(decimal(number, places: places) == text)
  }
}
