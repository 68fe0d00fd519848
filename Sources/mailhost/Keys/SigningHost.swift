import DNS
import Glibc
import Linux
import MailHost

/// This host, as a rotation of keys works on it.
struct SigningHost: RotationHost {
  let settings: HostSettings
  let files: KeyDirectory
  let publisher: RecordPublisher
  let view: DNSView
  let redisName: String
  /// How long a name server that takes updates has to hand them to the others, in seconds.
  var patience = 10.0

  /// How long rspamd may take to replace its processes, in seconds.
  private static let reloadSeconds = 40.0

  init(_ work: HostWork) {
    settings = work.settings
    files = KeyDirectory(settings: work.settings, root: work.root)
    view = DNSView(resolvers: Self.resolvers(work.settings, work.root))
    publisher = RecordPublisher(settings: work.settings, root: work.root, view: view)
    redisName = work.facts.versions.redisName
  }

  static func resolvers(_ settings: HostSettings, _ root: HostRoot) -> [DNSServer] {
    var servers = DNSView.resolvers(of: root.path("/etc/resolv.conf"))
    for address in settings.dns.resolvers where !servers.contains(where: { $0.address == address }) {
      servers.append(DNSServer(address: address))
    }
    return servers
  }

  func keys(of domain: String) throws(RotationFailure) -> DomainKeys {
    try told { () throws(HostFailure) in try files.keys(of: domain) }
  }

  func look(at record: KeyRecord, forms: [String]) -> RecordVisibility {
    let end = monotonicSeconds() + (hasHandedOver ? patience : 0)
    while true {
      var seen: RecordVisibility
      do throws(DNSError) {
        seen = RecordVisibility(try view.everywhere(record.name, .txt), of: record, forms: forms)
      } catch {
        return RecordVisibility(unknown: error.text)
      }
      if seen.isEverywhere || seen.isNowhere || monotonicSeconds() >= end { return seen }
      usleep(500_000)
    }
  }

  /// Whether any name server is changed by us: then it is worth a moment's wait.
  private var hasHandedOver: Bool {
    ([settings.dns.publishing] + settings.dns.domains.values).contains { $0.way != .paste }
  }

  func newSelector(for domain: String, _ algorithm: KeyAlgorithm) throws(RotationFailure) -> String {
    let there = Set(try told { () throws(HostFailure) in try files.selectors(of: domain) })
    let suffix = algorithm == .ed25519 ? "e" : ""
    if settings.dns.publishing(of: domain).way == .cname {
      // The domain's zone leads to these for ever.
      let names = NameService.fixedSelectors(algorithm)
      guard let free = names.first(where: { !there.contains($0) }) else {
        throw RotationFailure(
          "\(domain): \(names.joined(separator: ", ")) are all in use",
          hint: "`mailhost dkim status \(domain)` says until when")
      }
      return free
    }
    var now = time(nil)
    var date = tm()
    gmtime_r(&now, &date)
    let month = String(date.tm_year + 1900) + (date.tm_mon < 9 ? "0" : "") + String(date.tm_mon + 1)
    let names =
      [settings.nextSelector.map { $0 + suffix }, month + suffix].compactMap(\.self)
      + "bcdefghijklmnopqrstuvwxyz".map { "\(month)\($0)\(suffix)" }
    guard let free = SigningKeyFile.newSelector(of: names, used: there, isShown: { isShown($0, domain) }) else {
      throw RotationFailure("\(domain) has a key of every name for this month")
    }
    return free
  }

  /// Whether anybody shows a key of that name; where nobody can be asked, nobody is known to.
  private func isShown(_ selector: String, _ domain: String) -> Bool {
    let record = KeyRecord(domain: domain, selector: selector, algorithm: .rsa, publicKey: "")
    guard let sightings = try? view.everywhere(record.name, .txt) else { return false }
    return RecordVisibility(sightings, of: record, forms: []).hasKey
  }

  func makeKey(of domain: String, _ selector: String, _ algorithm: KeyAlgorithm) throws(RotationFailure) {
    try told { () throws(HostFailure) in try files.make(domain, selector, algorithm) }
  }

  func removeKey(of domain: String, _ selector: String) throws(RotationFailure) {
    try told { () throws(HostFailure) in try files.remove(domain, selector) }
  }

  func setMark(_ mark: SigningKeyFile.Mark?, of domain: String, _ selector: String) throws(RotationFailure) {
    try told { () throws(HostFailure) in try files.setMark(mark, domain, selector) }
  }

  func setSigning(_ selectors: [String], of domain: String) throws(RotationFailure) {
    try told { () throws(HostFailure) in
      var table = try files.table()
      table.selectors[domain] = selectors
      try files.store(table)
    }
  }

  func reload(expecting selectors: [String], of domain: String) throws(RotationFailure) {
    try told { () throws(HostFailure) in
      guard settings.manage.services, files.root.isHere, Services.isThere else { return }
      let services = Services(redisName: redisName)
      // One that is down reads it when it starts.
      guard try services.isActive("rspamd") else { return }
      try services.tell(.rspamd, anew: false)
      try SigningProbe().await(selectors, of: domain, seconds: Self.reloadSeconds)
    }
  }

  func publish(_ record: KeyRecord) throws(RotationFailure) -> Publication {
    try told { () throws(HostFailure) in try publisher.publish(record) }
  }

  func withdraw(_ record: KeyRecord) throws(RotationFailure) -> Publication {
    try told { () throws(HostFailure) in try publisher.withdraw(record) }
  }

  func now() -> Double { Double(time(nil)) }

  private func told<Result>(_ work: () throws(HostFailure) -> Result) throws(RotationFailure) -> Result {
    do {
      return try work()
    } catch {
      let evidence = error.evidence.isEmpty ? "" : ": " + error.evidence.joined(separator: " ")
      throw RotationFailure(error.texts.joined(separator: "; ") + evidence, hint: error.hint)
    }
  }
}
