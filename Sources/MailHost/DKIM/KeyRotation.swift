/// Why a step of a rotation came to nothing.
public struct RotationFailure: Error, Equatable, Sendable {
  public var text: String
  public var hint: String?

  public init(_ text: String, hint: String? = nil) {
    self.text = text
    self.hint = hint
  }
}

/// How a record comes into the DNS.
public enum Publication: Equatable, Sendable {
  /// It was handed over to the name server, which shows it sooner or later.
  case done
  /// A person has to do it.
  case byHand
}

/// What a rotation works on. Each of these either happens whole or not at all.
public protocol RotationHost {
  /// As the files are now.
  func keys(of domain: String) throws(RotationFailure) -> DomainKeys
  /// Asks every server of the zone and each resolver.
  func look(at record: KeyRecord, forms: [String]) -> RecordVisibility
  /// A name for a new key that no key of the domain has or had.
  func newSelector(for domain: String, _ algorithm: KeyAlgorithm) throws(RotationFailure) -> String
  func makeKey(of domain: String, _ selector: String, _ algorithm: KeyAlgorithm) throws(RotationFailure)
  /// Removes the key's files; the mark last.
  func removeKey(of domain: String, _ selector: String) throws(RotationFailure)
  /// Nil: no mark.
  func setMark(_ mark: SigningKeyFile.Mark?, of domain: String, _ selector: String) throws(RotationFailure)
  /// Says to rspamd's configuration what signs; rspamd itself does not know yet.
  func setSigning(_ selectors: [String], of domain: String) throws(RotationFailure)
  /// Has rspamd read it, and returns only when a mail of the domain comes back signed by just these.
  func reload(expecting selectors: [String], of domain: String) throws(RotationFailure)
  func publish(_ record: KeyRecord) throws(RotationFailure) -> Publication
  func withdraw(_ record: KeyRecord) throws(RotationFailure) -> Publication
  /// Seconds since 1970.
  func now() -> Double
}

/// What a rotation did, or what it waits for.
public enum RotationEvent: Equatable, Sendable {
  case made(KeyRecord)
  case publishing(KeyRecord)
  /// A person has to publish it.
  case toPublish(KeyRecord)
  /// Not everybody shows it yet; why.
  case waits(KeyRecord, [String])
  /// Its time has not come: the key that signs is not old enough.
  case ready(KeyRecord)
  case switched(from: [String], to: KeyRecord)
  /// A retired key's record stays until then, seconds since 1970.
  case keeps(selector: String, until: Double)
  /// The clock was wrong when the key was retired, or is now.
  case clock(selector: String)
  case withdrawing(KeyRecord)
  /// A person has to remove it.
  case toWithdraw(KeyRecord)
  /// Some still show it; who.
  case lingers(KeyRecord, [String])
  case removed(selector: String)
  /// A key that is to sign cannot; the clause says why.
  case broken(selector: String, String)
  /// What a killed call had begun was finished.
  case finished(selectors: [String])
}

/// Brings the keys of a domain as far as it can be done now, and can be called again at any time.
///
/// A key signs only while everybody shows its record: it is made, its record is published, and when every server of the zone and each
/// resolver show it, it takes over in one step. The key before it has its record for `keep` seconds longer, which is more than a
/// mail can wait in a queue. Nothing is remembered: files and the DNS say where it stands.
public struct KeyRotation<Host: RotationHost> {
  public let host: Host
  /// How long the record of a key stays after its last signature, in seconds.
  public let keep: Double
  /// Those that the domain is to be signed with.
  public let algorithms: [KeyAlgorithm]

  public init(host: Host, keep: Double, algorithms: [KeyAlgorithm]) {
    self.host = host
    self.keep = keep
    self.algorithms = algorithms
  }

  /// Whether a new key is to be made, and takes over.
  public enum Wish: Equatable, Sendable {
    /// At once, unless one was begun: then that goes on to its end, which is when the old key's record is gone.
    case begin
    /// At once: the key that signs is in wrong hands, say.
    case beginAgain
    /// When the key that signs is older than so many seconds.
    case whenOlder(Double)
    /// Only what was begun goes on.
    case goOn
  }

  /// - Returns: what happened, in order.
  public func advance(_ domain: String, _ wish: Wish) throws(RotationFailure) -> [RotationEvent] {
    var events = try finishInterrupted(domain)
    for algorithm in KeyAlgorithm.allCases { events += try renew(domain, algorithm, wish) }
    for key in try host.keys(of: domain).retiring { events += try retire(key, domain) }
    return events
  }

  /// What a call that was killed, or failed, left between two steps.
  public func finishInterrupted(_ domain: String) throws(RotationFailure) -> [RotationEvent] {
    let keys = try host.keys(of: domain)
    // It was to be retired, and signs: that was taken back, or had not come to it yet.
    for key in keys.keys where key.mark != nil && keys.signs(key) { try host.setMark(nil, of: domain, key.selector) }
    let open = keys.retiring.filter { $0.mark == .begun }
    guard !open.isEmpty else { return [] }
    try host.reload(expecting: keys.working.map(\.selector), of: domain)
    for key in open { try host.setMark(.since(host.now()), of: domain, key.selector) }
    return [.finished(selectors: open.map(\.selector))]
  }

  // MARK: A new key

  private func renew(_ domain: String, _ algorithm: KeyAlgorithm, _ wish: Wish) throws(RotationFailure)
    -> [RotationEvent]
  {
    var keys = try host.keys(of: domain)
    var events: [RotationEvent] = []
    let signing = keys.keys.filter { keys.signs($0) && $0.algorithm == algorithm }
    let lost = algorithm == .rsa ? keys.signing.filter { keys.key($0) == nil } : []
    for selector in lost { events.append(.broken(selector: selector, "is missing")) }
    for key in signing where !key.isUsable {
      events.append(.broken(selector: key.selector, key.problem ?? "is no key"))
    }
    let working = signing.filter(\.isUsable)
    // Any key that the world knows is better than none: also one that was on its way out.
    let isBroken = working.isEmpty && (!signing.isEmpty || !lost.isEmpty)
    if isBroken, let known = knownAgain(keys, algorithm) {
      return events + [try take(known, over: signing.map(\.selector) + lost, keys)]
    }
    let isWanted = algorithms.contains(algorithm)
    var candidate = keys.waiting.filter { $0.algorithm == algorithm }.max {
      ($0.made, $0.selector) < ($1.made, $1.selector)
    }
    let isOld: Bool
    switch wish {
    case .begin: isOld = candidate != nil || working.isEmpty || !keys.retiring.contains { $0.algorithm == algorithm }
    case .beginAgain: isOld = true
    case .whenOlder(let age): isOld = working.allSatisfy { host.now() - $0.made >= age }
    case .goOn: isOld = working.isEmpty
    }
    if candidate == nil, isWanted, isOld {
      let selector = try host.newSelector(for: domain, algorithm)
      try host.makeKey(of: domain, selector, algorithm)
      keys = try host.keys(of: domain)
      guard let made = keys.key(selector), made.isUsable else {
        throw RotationFailure("\(domain): the new key \(selector) is not there, or cannot be read")
      }
      candidate = made
      events.append(.made(record(made, domain)))
    }
    guard let candidate else { return events }
    let record = record(candidate, domain)
    var seen = host.look(at: record, forms: candidate.publicForms)
    if !seen.isEverywhere {
      switch try publication(of: record, seen) {
      case .done:
        seen = host.look(at: record, forms: candidate.publicForms)
        if !seen.isEverywhere { return events + [.publishing(record), .waits(record, seen.obstacles)] }
        events.append(.publishing(record))
      case .byHand?: return events + [.toPublish(record), .waits(record, seen.obstacles)]
      case nil: return events + [.waits(record, seen.obstacles)]
      }
    }
    if case .goOn = wish, !working.isEmpty { return events + [.ready(record)] }
    guard isOld else { return events + [.ready(record)] }
    return events + [try take(candidate, over: signing.map(\.selector) + lost, keys)]
  }

  /// Hands a record over unless the zone has it already, and only its secondaries or a resolver's memory do not.
  private func publication(of record: KeyRecord, _ seen: RecordVisibility) throws(RotationFailure) -> Publication? {
    if seen.unknown != nil || seen.isInZone { return nil }
    return try host.publish(record)
  }

  /// A key that does not sign and whose record everybody shows.
  private func knownAgain(_ keys: DomainKeys, _ algorithm: KeyAlgorithm) -> SigningKeyFile? {
    keys.keys.filter { !keys.signs($0) && $0.isUsable && $0.algorithm == algorithm }
      .sorted { ($0.mark == nil ? 1 : 0, $0.made) > ($1.mark == nil ? 1 : 0, $1.made) }
      .first { host.look(at: record($0, keys.domain), forms: $0.publicForms).isEverywhere }
  }

  /// Has a key sign in the place of others. Whatever ends it, those that sign are known to the world.
  private func take(_ key: SigningKeyFile, over old: [String], _ keys: DomainKeys) throws(RotationFailure)
    -> RotationEvent
  {
    let domain = keys.domain
    var signing = keys.signing.filter { !old.contains($0) }
    // RSA first: it is the one that every receiver verifies.
    signing.insert(key.selector, at: key.algorithm == .rsa ? 0 : signing.count)
    let marked = old.filter { keys.key($0) != nil }
    for selector in marked { try host.setMark(.begun, of: domain, selector) }
    do throws(RotationFailure) {
      try host.setSigning(signing, of: domain)
      try host.reload(expecting: signing, of: domain)
    } catch {
      // Back to what signed before. Where that does not go either, the next call finishes it.
      try? host.setSigning(keys.signing, of: domain)
      try? host.reload(expecting: keys.working.map(\.selector), of: domain)
      for selector in marked { try? host.setMark(nil, of: domain, selector) }
      throw RotationFailure(
        "\(domain): \(key.selector) was to sign and did not, \(keys.signing.joined(separator: ", ")) signs on: "
          + error.text, hint: error.hint)
    }
    if key.mark != nil { try host.setMark(nil, of: domain, key.selector) }
    for selector in marked { try host.setMark(.since(host.now()), of: domain, selector) }
    return .switched(from: old, to: record(key, domain))
  }

  // MARK: An old key

  /// Takes a key out of use that is not the only one to sign.
  /// - Throws: when it is, or there is no such key.
  public func retire(_ selector: String, of domain: String) throws(RotationFailure) -> [RotationEvent] {
    var events = try finishInterrupted(domain)
    let keys = try host.keys(of: domain)
    guard let key = keys.key(selector) else { throw RotationFailure("\(domain) has no key \(selector)") }
    if keys.signs(key) {
      let others = keys.working.filter { $0.selector != selector }
      guard others.contains(where: { $0.algorithm == .rsa }) else {
        throw RotationFailure(
          "\(selector) is the key that every receiver verifies mail of \(domain) with",
          hint: "`mailhost dkim rotate \(domain)` puts another one in its place")
      }
      let signing = keys.signing.filter { $0 != selector }
      try host.setMark(.begun, of: domain, selector)
      try host.setSigning(signing, of: domain)
      return events + (try finishInterrupted(domain))
    }
    if key.mark == nil {
      // It has signed nothing: its record is of no use to anybody.
      try host.setMark(.since(host.now() - keep), of: domain, selector)
    }
    for key in try host.keys(of: domain).retiring where key.selector == selector { events += try retire(key, domain) }
    return events
  }

  private func retire(_ key: SigningKeyFile, _ domain: String) throws(RotationFailure) -> [RotationEvent] {
    guard case .since(let last)? = key.mark else { return [] }
    let until = last + keep
    // An hour: clocks of one host that is set right.
    if last > host.now() + 3600 {
      return [.clock(selector: key.selector), .keeps(selector: key.selector, until: until)]
    }
    if host.now() < until { return [.keeps(selector: key.selector, until: until)] }
    guard !key.publicForms.isEmpty else {
      // Nobody can tell what its record is any more; the name still can.
      try host.removeKey(of: domain, key.selector)
      return [.removed(selector: key.selector)]
    }
    let record = record(key, domain)
    var seen = host.look(at: record, forms: key.publicForms)
    var events: [RotationEvent] = []
    if !seen.isNowhere, seen.isInZone {
      switch try host.withdraw(record) {
      case .done: events.append(.withdrawing(record))
      case .byHand: events.append(.toWithdraw(record))
      }
      seen = host.look(at: record, forms: key.publicForms)
    }
    guard seen.isNowhere else { return events + [.lingers(record, seen.shown.sorted() + seen.obstacles)] }
    try host.removeKey(of: domain, key.selector)
    return events + [.removed(selector: key.selector)]
  }

  private func record(_ key: SigningKeyFile, _ domain: String) -> KeyRecord {
    KeyRecord(
      domain: domain, selector: key.selector, algorithm: key.algorithm, publicKey: key.publicForms.first ?? "")
  }
}
