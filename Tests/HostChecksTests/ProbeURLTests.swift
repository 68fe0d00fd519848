import MailbootCore
import Testing

@Suite("Probe URLs")
struct ProbeURLTests {
  @Test(arguments: [
    ("smtp://127.0.0.1:25", "smtp 127.0.0.1 25 "),
    ("smtp://mail.example.org", "smtp mail.example.org 25 "),
    ("IMAPS://127.0.0.1", "imaps 127.0.0.1 993 "),
    ("imaps://[::1]:993/", "imaps ::1 993 "),
    ("imap://[fe80::1%eth0]", "imap fe80::1%eth0 143 "),
    ("http://127.0.0.1:11333/ping", "http 127.0.0.1 11333 /ping"),
    ("http://localhost", "http localhost 80 /"),
    ("http://localhost/a/b?c=d", "http localhost 80 /a/b?c=d"),
    ("redis://127.0.0.1", "redis 127.0.0.1 6379 "),
    ("tcp://127.0.0.1:11332", "tcp 127.0.0.1 11332 "),
    ("unix:///run/ab", "unix  - /run/ab"),
    ("lmtp:///var/spool/postfix/private/dovecot-lmtp", "lmtp  - /var/spool/postfix/private/dovecot-lmtp"),
    ("sieve://localhost", "sieve localhost 4190 "),
  ])
  func parts(text: String, expected: String) throws {
    let url = try ProbeURL(parsing: text)
    let port = url.port.map { "\($0)" } ?? "-"
    #expect("\(url.scheme.rawValue) \(url.host) \(port) \(url.path)" == expected)
  }

  @Test(arguments: [
    ("", ProbeURLError.noScheme),
    ("127.0.0.1:25", .noScheme),
    ("smtp:127.0.0.1", .noScheme),
    ("ftp://127.0.0.1", .unknownScheme("ftp")),
    ("smtp://", .noHost(.smtp)),
    ("smtp://:25", .noHost(.smtp)),
    ("http:///ping", .noHost(.http)),
    ("smtp://a b", .unprintable),
    ("smtp://münchen.example", .unprintable),
    ("smtp://ex!ample", .badHost("ex!ample")),
    ("smtp://::1", .unbracketedAddress("::1")),
    ("smtp://[::1", .badHost("[::1")),
    ("smtp://[::1]25", .badHost("[::1]25")),
    ("smtp://[mail]", .badHost("mail")),
    ("redis://:secret@127.0.0.1", .userInfo),
    ("tcp://127.0.0.1", .noPort(.tcp)),
    ("smtp://127.0.0.1:", .badPort("")),
    ("smtp://127.0.0.1:0", .badPort("0")),
    ("smtp://127.0.0.1:65536", .badPort("65536")),
    ("smtp://127.0.0.1:+25", .badPort("+25")),
    ("smtp://127.0.0.1/ping", .pathNotUsed(.smtp)),
    ("http://localhost/#top", .fragment),
    ("unix://run/socket", .hostForUnixSocket),
    ("unix://", .noSocketPath(.unix)),
    ("lmtp:///", .noSocketPath(.lmtp)),
    ("unix:///" + String(repeating: "x", count: 107), .socketPathTooLong(108)),
  ])
  func faults(text: String, expected: ProbeURLError) {
    #expect(throws: expected) { try ProbeURL(parsing: text) }
  }

  @Test func faultsAreToldInWords() {
    #expect(
      "\(ProbeURLError.unbracketedAddress("::1"))" == "\"::1\": an IPv6 address needs brackets, such as [::1]:25")
    #expect("\(ProbeURLError.noPort(.tcp))" == "no port: tcp:// has no default one")
  }
}
