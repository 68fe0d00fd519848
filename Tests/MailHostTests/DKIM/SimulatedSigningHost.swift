import DNS
import MailHost

/// A host with rspamd, a zone on two servers of which one lags, and a resolver that remembers. Everything that could go wrong between two
/// steps goes wrong on request, and after each step every mail that could leave is looked at.
final class SimulatedSigningHost: RotationHost {
  static let day = 86400.0

  let domain = "example.org"
  var time = 1_800_000_000.0
  var files: [String: SigningKeyFile] = [:]
  var table: [String]
  /// What rspamd has read.
  var loaded: [String]
  /// When the primary server shows a record, and when it stopped to.
  var published: [String: (from: Double, until: Double)] = [:]
  /// Seconds until the secondary server and the resolver show what the primary does.
  var lag = 0.0
  var publication = Publication.done
  /// Calls until everything fails, as after a kill; nil: it does not.
  var callsUntilDeath: Int?
  /// The call that fails, once.
  var failingCall: Int?
  var isNameServerSilent = false
  private(set) var calls = 0
  /// Faults that a receiver would have seen.
  private(set) var faults: [String] = []
  /// When each selector signed last.
  private(set) var lastSigned: [String: Double] = [:]
  private var count = 0

  init(selector: String = "202001", made: Double = 0) {
    table = [selector]
    loaded = [selector]
    files[selector] = SigningKeyFile(selector: selector, publicForms: ["KEY\(selector)"], made: time - 400 * Self.day)
    published[selector] = (-1e12, .infinity)
  }

  // MARK: What the world sees

  func isShown(_ selector: String, after lag: Double = 0) -> Bool {
    guard let (from, until) = published[selector] else { return false }
    return from + lag <= time && time < until + lag
  }

  /// A mail leaves, of the daemon as it runs, or as it would run after a restart.
  func send() {
    for signing in [loaded, table] {
      let usable = signing.filter { files[$0]?.isUsable ?? false }
      if usable.isEmpty { faults.append("unsigned at \(time) (\(signing))") }
      for selector in usable {
        lastSigned[selector] = time
        for lag in [0, lag] where !isShown(selector, after: lag) { faults.append("\(selector) signs and is not shown") }
      }
    }
  }

  /// Whoever got a mail verifies it up to `days` later.
  func verifyOld(days: Double) {
    for (selector, last) in lastSigned where time - last < days * Self.day {
      if !isShown(selector, after: 0) || !isShown(selector, after: lag) {
        faults.append("\(selector) is gone \((time - last) / Self.day) days after its last signature")
      }
    }
  }

  // MARK: RotationHost

  /// Dies before the call, or in the middle of those that change something.
  private func step(_ change: (() -> Void)? = nil) throws(RotationFailure) {
    calls += 1
    if let left = callsUntilDeath {
      if left <= 0 { throw RotationFailure("killed") }
      callsUntilDeath = left - 1
    }
    if failingCall == calls { throw RotationFailure("no space left on device") }
    change?()
    send()
    verifyOld(days: 7)
  }

  func keys(of domain: String) throws(RotationFailure) -> DomainKeys {
    try step()
    return DomainKeys(domain: domain, keys: files.values.sorted { $0.selector < $1.selector }, signing: table)
  }

  func look(at record: KeyRecord, forms: [String]) -> RecordVisibility {
    if isNameServerSilent { return RecordVisibility(unknown: "no resolver answers") }
    let sources: [(Sighting.Source, Double)] = [
      (.authoritative(host: "ns1.example.org", DNSServer(address: "192.0.2.1")), 0),
      (.authoritative(host: "ns2.example.org", DNSServer(address: "192.0.2.2")), lag),
      (.resolver(DNSServer(address: "127.0.0.1")), lag),
    ]
    return RecordVisibility(
      sources.map { source, lag in
        Sighting(
          record.name, source,
          isShown(record.selector, after: lag)
            ? .records([DNSRecord(record.name, .txt, .text(Array("v=DKIM1; p=KEY\(record.selector)".utf8)))])
            : .nothing)
      }, of: record, forms: forms)
  }

  func newSelector(for domain: String, _ algorithm: KeyAlgorithm) throws(RotationFailure) -> String {
    try step()
    count += 1
    return "new\(count)"
  }

  func makeKey(of domain: String, _ selector: String, _ algorithm: KeyAlgorithm) throws(RotationFailure) {
    try step {
      self.files[selector] = SigningKeyFile(
        selector: selector, algorithm: algorithm, publicForms: ["KEY\(selector)"], made: self.time)
    }
  }

  func removeKey(of domain: String, _ selector: String) throws(RotationFailure) {
    try step { self.files[selector] = nil }
  }

  func setMark(_ mark: SigningKeyFile.Mark?, of domain: String, _ selector: String) throws(RotationFailure) {
    try step { self.files[selector]?.mark = mark }
  }

  func setSigning(_ selectors: [String], of domain: String) throws(RotationFailure) {
    try step { self.table = selectors }
  }

  func reload(expecting selectors: [String], of domain: String) throws(RotationFailure) {
    try step { self.loaded = self.table }
    guard loaded.filter({ files[$0]?.isUsable ?? false }) == selectors else {
      throw RotationFailure("signed by \(loaded)")
    }
  }

  func publish(_ record: KeyRecord) throws(RotationFailure) -> Publication {
    try step {
      if self.publication == .done, self.published[record.selector] == nil {
        self.published[record.selector] = (self.time, .infinity)
      }
    }
    return publication
  }

  func withdraw(_ record: KeyRecord) throws(RotationFailure) -> Publication {
    try step {  // Again and again changes nothing.
      if self.publication == .done, self.published[record.selector]?.until == .infinity {
        self.published[record.selector]?.until = self.time
      }
    }
    return publication
  }

  func now() -> Double { time }
}
