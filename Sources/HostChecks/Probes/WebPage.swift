import MailbootCore

/// A small text that a web server has, over TLS with a certificate that this machine trusts.
public enum WebPage {
  /// Longer ones are not for us (RFC 8461 has 64 KiB for a policy).
  private static let mostBytes = 65536

  /// - Returns: the body; a failure says why there is none. Redirections are not followed: RFC 8461, section 3.3, forbids it.
  public static func fetch(_ text: String, seconds: Double) -> Result<String, WebPageFailure> {
    guard let url = try? ProbeURL(parsing: text), url.scheme == .https else {
      return .failure(WebPageFailure(reason: "\(text) is no https address"))
    }
    do throws(Silence) {
      return .success(try fetch(url, seconds: seconds))
    } catch {
      return .failure(WebPageFailure(reason: error.reason))
    }
  }

  private static func fetch(_ url: ProbeURL, seconds: Double) throws(Silence) -> String {
    let channel = try ProbeChannel(to: url, attempt: Attempt(seconds: seconds), verifying: true)
    try channel.send(
      "GET \(url.path) HTTP/1.0\r\nHost: \(url.host)\r\nUser-Agent: mailhost\r\nConnection: close\r\n\r\n")
    let status = try channel.expectLine("answer").split(separator: " ", maxSplits: 2)
    guard status.count > 1, status[0].hasPrefix("HTTP/") else { throw Silence(reason: "no answer of a web server") }
    guard status[1] == "200" else { throw Silence(reason: "the web server says \(status[1])") }
    while try !channel.expectLine("headers").isEmpty {}
    var body = ""
    while let line = try channel.line() {
      body += line + "\n"
      guard body.utf8.count <= mostBytes else { throw Silence(reason: "it is longer than 64 KiB") }
    }
    channel.leave(saying: nil)
    return body
  }
}

/// Why a page could not be had.
public struct WebPageFailure: Error, Equatable {
  public var reason: String
}
