/// RFC 3339 in UTC, whole seconds: `2026-11-22T15:00:00Z`.
public func timestamp(_ secondsSince1970: Double) -> String {
  let total = wholeSeconds(secondsSince1970)
  let days = total >= 0 ? total / 86400 : (total - 86399) / 86400
  let second = Int(total - days * 86400)
  let (year, month, day) = civil(days: days)
  return "\(year)-\(two(month))-\(two(day))T\(two(second / 3600)):\(two(second / 60 % 60)):\(two(second % 60))Z"
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
