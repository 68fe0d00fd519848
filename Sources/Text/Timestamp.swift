/// RFC 3339 in UTC, whole seconds: `2026-11-22T15:00:00Z`.
public func timestamp(_ secondsSince1970: Double) -> String {
  let total = wholeSeconds(secondsSince1970)
  let days = total >= 0 ? total / 86400 : (total - 86399) / 86400
  let second = Int(total - days * 86400)
  let (year, month, day) = civil(days: days)
  return "\(year)-\(two(month))-\(two(day))T\(two(second / 3600)):\(two(second / 60 % 60)):\(two(second % 60))Z"
}

/// What ``timestamp(_:)`` stands for; nil for any other text.
public func secondsSince1970(timestamp text: String) -> Double? {
  let bytes = Array(text.utf8)
  guard bytes.count == 20 else { return nil }
  func number(_ range: Range<Int>) -> Int? { Int(String(decoding: bytes[range], as: UTF8.self)) }
  guard let year = number(0..<4), let month = number(5..<7), let day = number(8..<10), let hour = number(11..<13),
    let minute = number(14..<16), let second = number(17..<19), (1...12).contains(month)
  else { return nil }
  // Days since 1970-01-01 by Howard Hinnant's `days_from_civil`: years begin in March.
  let shifted = month <= 2 ? year - 1 : year
  let era = (shifted >= 0 ? shifted : shifted - 399) / 400
  let yearOfEra = shifted - era * 400
  let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
  let days = era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  let seconds = Double(days * 86400 + hour * 3600 + minute * 60 + second)
  // Also no day, hour or separator that there is not.
  return timestamp(seconds) == text ? seconds : nil
}

/// Rounded down; what no calendar has (a damaged record may) is 0.
private func wholeSeconds(_ seconds: Double) -> Int64 { abs(seconds) < 1e12 ? Int64(seconds.rounded(.down)) : 0 }

private func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }

/// Days since 1970-01-01 to a Gregorian date; Howard Hinnant's `civil_from_days`.
private func civil(days: Int64) -> (year: Int, month: Int, day: Int) {
  let shifted = days + 719_468
  let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
  let dayOfEra = shifted - era * 146_097
  let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
  let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
  let monthShifted = (5 * dayOfYear + 2) / 153
  let day = Int(dayOfYear - (153 * monthShifted + 2) / 5 + 1)
  let month = Int(monthShifted < 10 ? monthShifted + 3 : monthShifted - 9)
  return (Int(yearOfEra + era * 400) + (month <= 2 ? 1 : 0), month, day)
}

/// How long ago, for people: `12 s`, `4 min`, `3 h`, `2 days`.
public func age(_ seconds: Double) -> String {
  let whole = max(0, wholeSeconds(seconds))
  switch whole {
  case ..<120: return "\(whole) s"
  case ..<7200: return "\(whole / 60) min"
  case ..<172_800: return "\(whole / 3600) h"
  default: return "\(whole / 86400) days"
  }
}
