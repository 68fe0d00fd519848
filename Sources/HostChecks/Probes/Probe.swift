import CLinux
import Glibc
import MailbootCore

/// Asks a service until it answers or `timeout` is over; at least once.
///
/// Between attempts it sleeps, first 50 ms, then longer up to 500 ms: a service that starts is seen soon, and one that
/// takes minutes costs nothing.
public func probe(_ request: ProbeRequest) -> ProbeReply {
  let url: ProbeURL
  do {
    url = try ProbeURL(parsing: request.url)
  } catch {
    return .silent("bad probe URL: \(error)")
  }
  let end = Deadline(after: request.timeout)
  var pause = 0.05
  var reason = ""
  while true {
    let isShort = !reason.isEmpty && end.remaining < request.attemptTimeout
    let attempt = Attempt(seconds: isShort ? end.remaining : request.attemptTimeout)
    do {
      return .answered(printable(try askOnce(url, attempt: attempt)))
    } catch {
      // The last attempt's time may be too short to mean anything: then the one before it tells more.
      if reason.isEmpty || !(isShort && error.timedOut) { reason = error.reason }
    }
    if end.remaining <= pause { return .silent(printable(reason)) }
    usleep(useconds_t(pause * 1e6))
    pause = min(pause * 1.5, 0.5)
  }
}
