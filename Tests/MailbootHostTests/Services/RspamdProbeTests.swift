import MailbootCore
import TestSupport
import Testing

@testable import MailbootHost

struct RspamdProbeTests {
  private func services(normal: String?, proxy: String? = nil, override: String? = nil) throws -> [String?] {
    let directory = try TemporaryDirectory()
    if let normal { try directory.write("local.d/worker-normal.inc", normal) }
    if let proxy { try directory.write("local.d/worker-proxy.inc", proxy) }
    if let override { try directory.write("override.d/worker-normal.inc", override) }
    let probe = RspamdProbe(directories: [directory.file("local.d"), directory.file("override.d")])
    return probe.completed(Configuration.Service.standard).map(\.probeText)
  }

  private static let standard = Configuration.Service.standard.map(\.probeText)

  @Test func asThePackageHasItNothingChanges() throws {
    #expect(try services(normal: nil) == Self.standard)
    #expect(
      try services(normal: "bind_socket = \"127.0.0.1:11333\";\ncount = 1;\n")[1] == "http://127.0.0.1:11333/ping")
  }

  @Test(arguments: [
    ("enabled = false;", nil, "milter://127.0.0.1:11332"),
    ("enabled = false;", "bind_socket = \"*:11999\"; self_scan = yes;", "milter://127.0.0.1:11999"),
    (
      "enabled = no; # the proxy scans",
      "milter = yes;\nbind_socket = \"/run/rspamd/milter.sock mode=0660 owner=_rspamd\";",
      "milter:///run/rspamd/milter.sock"
    ),
    ("bind_socket = \"localhost:11444\";", nil, "http://127.0.0.1:11444/ping"),
    ("bind_socket = \"/run/rspamd/worker.sock mode=0666\";", nil, "unix:///run/rspamd/worker.sock"),
  ])
  func whereTheScannerIsOffOrElsewhereItIsAskedThere(_ normal: String, _ proxy: String?, _ url: String) throws {
    #expect(try services(normal: normal, proxy: proxy)[1] == url)
  }

  @Test func whatOverridesCountsAndWhatIsConfiguredStays() throws {
    #expect(try services(normal: "enabled = false;", override: "enabled = true;") == Self.standard)
    let own = [Configuration.Service(name: "rspamd", probeText: "http://127.0.0.1:1/ping")]
    let directory = try TemporaryDirectory()
    try directory.write("worker-normal.inc", "enabled = false;")
    #expect(RspamdProbe(directories: [directory.path]).completed(own) == own)
  }
}
