import Glibc
import Text

/// Sleeps.
func pause(_ seconds: Double) { usleep(useconds_t(seconds * 1e6)) }

/// A date as mails have it, in UTC: `Thu, 26 Nov 2026 10:00:00 +0000` (RFC 5322, 3.3).
func mailDate(_ secondsSince1970: Double) -> String {
  var moment = time_t(secondsSince1970)
  var parts = tm()
  gmtime_r(&moment, &parts)
  let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
  let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
  // `2026-11-26T10:00:00Z`: the clock's part is the same.
  let clock = timestamp(secondsSince1970).dropFirst(11).prefix(8)
  let (day, month) = (days[Int(parts.tm_wday)], months[Int(parts.tm_mon)])
  return "\(day), \(parts.tm_mday) \(month) \(parts.tm_year + 1900) \(clock) +0000"
}
