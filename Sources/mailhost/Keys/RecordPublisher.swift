import DNS
import Glibc
import Linux
import MailHost
import MailbootCore

/// Puts records of keys into the DNS, and takes them out again, by the way that the settings name for the domain.
struct RecordPublisher {
  let settings: HostSettings
  let root: HostRoot
  let view: DNSView

  /// Seconds that others may keep a record. An hour: a mistake is put right soon.
  static let ttl = 3600
  private static let programSeconds = 120.0

  func publish(_ record: KeyRecord) throws(HostFailure) -> Publication {
    try change(record) { name, text in
      // What was there goes: two keys at one name are none.
      [.remove(name: name, .txt), .add("\(name). \(Self.ttl) IN TXT \(quotedStrings(text))")]
    }
  }

  func withdraw(_ record: KeyRecord) throws(HostFailure) -> Publication {
    try change(record) { name, _ in [.remove(name: name, .txt)] }
  }

  /// The name that the record really lies at: the domain's own, or the one that its zone leads to.
  func name(of record: KeyRecord) -> String { settings.dns.place(of: record).name }

  private func change(
    _ record: KeyRecord, _ changes: (_ name: String, _ text: String) -> [DNSUpdate.Change]
  ) throws(HostFailure) -> Publication {
    let place = settings.dns.place(of: record)
    let (name, publishing) = (place.name, place.publishing)
    let wanted = changes(name, record.text)
    switch publishing.way {
    case .paste, .cname: return .byHand
    case .program: try call(publishing.program ?? "", name, record, isNew: wanted.count > 1)
    case .nsupdate: try update(name, publishing, wanted)
    }
    return .done
  }

  // MARK: A program

  private func call(_ program: String, _ name: String, _ record: KeyRecord, isNew: Bool) throws(HostFailure) {
    // It is run as root.
    if let reason = untrustedReason(program) {
      throw HostFailure(
        .failed, "\(program) is not run: \(reason)", hint: "`chown root: \(program); chmod 755 \(program)`")
    }
    try succeed(
      [program] + (isNew ? ["add", name, String(Self.ttl), "TXT", record.text] : ["remove", name, "TXT"]),
      seconds: Self.programSeconds, hint: "it is [dns] program of mailhost.toml")
  }

  // MARK: An update

  private func update(
    _ name: String, _ publishing: NameService.Publishing, _ changes: [DNSUpdate.Change]
  ) throws(HostFailure) {
    let key: UpdateKey?
    if let path = publishing.keyFile { key = try updateKey(path) } else { key = nil }
    let zone: String
    let server: DNSServer
    let status: DNSAnswer.Status
    do throws(DNSError) {
      zone = try view.zone(of: name)
      server = if let address = publishing.server { DNSServer(address: address) } else { try primary(of: zone) }
      status = try DNSUpdate(zone: zone, changes).send(to: server, key: key)
    } catch {
      throw HostFailure(
        .failed, "\(name) cannot be changed: \(error.text)",
        hint: error.reason == .badKey
          ? "does the server have the same key, and the same time as this host (`timedatectl`)?" : nil)
    }
    guard status == .noError else {
      throw HostFailure(
        .failed, "\(server.text) takes no update of \(zone): \(status.text)",
        hint: status == .notAuthoritative
          ? "it does not take the key \(key?.name ?? "(none)"), or its clock and this host's differ: see `timedatectl`"
          : "does it let the key \(key?.name ?? "(none)") change \(name)?")
    }
  }

  private func primary(of zone: String) throws(DNSError) -> DNSServer {
    guard let soa = try view.resolve(zone, .soa).records(of: zone, .soa).first, case .soa(let host, _) = soa.data else {
      throw DNSError(.noAnswer, "\(zone) has no SOA record")
    }
    let addresses = try view.records(host, .a) + view.records(host, .aaaa)
    guard let address = addresses.compactMap(\.address).first else {
      throw DNSError(.noAnswer, "\(host) has no address")
    }
    return DNSServer(address: address)
  }

  /// Reads `key "NAME" { algorithm hmac-sha256; secret "…"; };`.
  private func updateKey(_ path: String) throws(HostFailure) -> UpdateKey {
    guard let stored = try explained({ () throws(SystemError) in try root.read(path) }) else {
      throw HostFailure(
        .failed, "\(path) is not there", hint: "tsig-keygen writes one; it is [dns] key_file of mailhost.toml")
    }
    guard stored.attributes.owner == "root", stored.attributes.mode & 0o077 == 0 else {
      throw HostFailure(
        .failed, "\(path) can be read by others than root", hint: "`chown root: \(path); chmod 600 \(path)`")
    }
    let words = stored.text.split { " \t\n;{}\"".contains($0) }.map(String.init)
    func value(_ name: String) -> String? {
      words.firstIndex(of: name).flatMap { $0 + 1 < words.count ? words[$0 + 1] : nil }
    }
    guard let name = value("key"), let algorithm = value("algorithm"), let secret = value("secret") else {
      throw HostFailure(.failed, "\(path) is no key as tsig-keygen writes it")
    }
    return UpdateKey(name: name, algorithm: algorithm, secret: secret)
  }
}
