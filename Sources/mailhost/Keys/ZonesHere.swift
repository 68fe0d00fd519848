import DNS
import MailHost

/// What is in the zones now, as the resolvers of this host have it. Who does not answer has nothing.
struct ZonesHere: PresentRecords {
  let view: DNSView

  func zone(of name: String) -> String? { try? view.zone(of: name) }

  func present(_ name: String, _ type: DNSType) -> [DNSRecord] { (try? view.records(name, type)) ?? [] }
}
