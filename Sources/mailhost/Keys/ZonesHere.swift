import DNS
import MailHost

/// What is in the zones now, as the resolvers of this host have it. Who does not answer has nothing.
struct ZonesHere: PresentRecords {
  let view: DNSView
  let settings: HostSettings
  let facts: RecordFacts

  func zone(of name: String) -> String? { try? view.zone(of: name) }

  func present(_ name: String, _ type: DNSType) -> [DNSRecord] { (try? view.records(name, type)) ?? [] }

  func lets(_ record: String, of name: String) -> Bool {
    // What a smarthost sends from nobody here knows: whoever has a record then has thought about it.
    settings.smarthost != nil
      || senderIsAllowed(record, of: name, from: facts.addresses, greeting: settings.hostName, view)
  }
}
