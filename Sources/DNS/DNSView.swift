import CLDNS
import Glibc

/// What one server says of one name, as others would see it.
public struct Sighting: Hashable, Sendable {
  public enum Source: Hashable, Sendable {
    /// One of those that have the zone; the name by which the zone names it.
    case authoritative(host: String, DNSServer)
    /// One that its zone names and that has no address.
    case nameless(host: String)
    case resolver(DNSServer)
  }

  public enum Outcome: Hashable, Sendable {
    case records([DNSRecord])
    /// The name, or this type of it, is not there.
    case nothing
    /// It stands for another name (CNAME), whose sightings follow.
    case alias(String)
    case failure(Failure)
  }

  public enum Failure: Hashable, Sendable {
    case noAnswer
    /// This machine has no route to it.
    case unreachable
    case refused
    /// It is named for the zone and does not have it.
    case notAuthoritative
    case serverFailure
    /// The resolver has it, and DNSSEC disproves it.
    case bogus
    case noAddress
    case other(String)

    public var text: String {
      switch self {
      case .noAnswer: "does not answer"
      case .unreachable: "cannot be reached from this host"
      case .refused: "refuses to answer (REFUSED)"
      case .notAuthoritative: "does not have the zone that names it"
      case .serverFailure: "fails (SERVFAIL)"
      case .bogus: "says that DNSSEC disproves it (bogus)"
      case .noAddress: "has no address"
      case .other(let text): "answers with \(text)"
      }
    }

    /// Whether nobody gets an answer there: whoever asks it goes on to the next server.
    public var isRefusal: Bool { [.refused, .notAuthoritative, .noAddress].contains(self) }
  }

  /// The name that was asked for: after an alias another one than at first.
  public var name: String
  public var source: Source
  public var outcome: Outcome

  public init(_ name: String, _ source: Source, _ outcome: Outcome) {
    self.name = name
    self.source = source
    self.outcome = outcome
  }

  /// Who says it, for a line of text.
  public var sourceText: String {
    switch source {
    case .authoritative(let host, let server): "\(host) (\(server.text))"
    case .nameless(let host): host
    case .resolver(let server): "resolver \(server.text)"
    }
  }
}

/// A server that a zone names, with the addresses that it has.
public struct ZoneServer: Hashable, Sendable {
  public var host: String
  public var servers: [DNSServer]

  public init(host: String, servers: [DNSServer]) {
    self.host = host
    self.servers = servers
  }
}

/// The DNS as the world sees it: each server of a zone is asked itself, then the resolvers.
///
/// Answers about zones and their servers are kept for the life of the object; what servers say of a name is asked anew each time.
public final class DNSView {
  private let client: any NameServerAsking
  public let resolvers: [DNSServer]
  private var zones: [String: String] = [:]
  private var servers: [String: [ZoneServer]] = [:]
  /// Whether one that was silent once is asked again: each time takes seconds.
  private let asksSilentOnesAgain: Bool
  /// How often in a row each has not answered. One slow name is no reason to ask a resolver nothing more.
  private var silences: [DNSServer: Int] = [:]
  private static let mostSilences = 4
  /// On the monotonic clock, in seconds.
  private var deadline: Double?
  /// CNAMEs that follow each other.
  private static let mostAliases = 8

  public init(
    _ client: any NameServerAsking = DNSClient(), resolvers: [DNSServer], asksSilentOnesAgain: Bool = true
  ) {
    self.client = client
    self.asksSilentOnesAgain = asksSilentOnesAgain
    self.resolvers = resolvers
  }

  /// The resolvers of a file such as `/etc/resolv.conf`; none when it cannot be read.
  public static func resolvers(of file: String) -> [DNSServer] {
    var resolver: UnsafeMutablePointer<ldns_resolver>?
    guard ldns_resolver_new_frm_file(&resolver, file) == LDNS_STATUS_OK, let resolver else { return [] }
    defer { ldns_resolver_deep_free(resolver) }
    let addresses = ldns_resolver_nameservers(resolver)
    var found: [DNSServer] = []
    for index in 0..<ldns_resolver_nameserver_count(resolver) {
      if let address = zoneText(addresses?[index]) { found.append(DNSServer(address: address)) }
    }
    return found
  }

  private func ask(
    _ name: String, _ type: DNSType, of server: DNSServer, recursive: Bool, unchecked: Bool
  ) throws(DNSError) -> DNSAnswer {
    if let deadline, Self.now >= deadline { throw DNSError(.noAnswer, "the time for it is over") }
    if silences[server, default: 0] >= (recursive ? Self.mostSilences : 1) {
      throw DNSError(.noAnswer, "\(server.text) does not answer")
    }
    do throws(DNSError) {
      let answer = try client.ask(name, type, of: server, recursive: recursive, unchecked: unchecked)
      silences[server] = nil
      return answer
    } catch {
      if error.reason == .noAnswer, !asksSilentOnesAgain { silences[server, default: 0] += 1 }
      throw error
    }
  }

  private static var now: Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }

  /// From now on questions are asked for so many seconds; what is not asked by then is not answered.
  public func limit(to seconds: Double) { deadline = Self.now + seconds }

  // MARK: Through the resolvers

  /// Why no resolver says anything at all, whatever it is asked; nil: one does.
  /// - Parameter name: what they are asked for.
  public func resolversAreSilent(_ name: String) -> String? {
    var reason = "no resolver is known: see /etc/resolv.conf"
    for server in resolvers {
      do throws(DNSError) {
        _ = try ask(name, .a, of: server, recursive: true, unchecked: false)
        return nil
      } catch {
        reason = error.reason == .badName ? error.text : "the resolver \(error.text)"
      }
    }
    return reason
  }

  /// What the first resolver says that answers at all.
  ///
  /// - Throws: when none does; SERVFAIL is no answer.
  public func resolve(_ name: String, _ type: DNSType) throws(DNSError) -> DNSAnswer {
    var problem = DNSError(.noAnswer, "no resolver is known: see /etc/resolv.conf")
    for server in resolvers {
      do throws(DNSError) {
        let answer = try ask(name, type, of: server, recursive: true, unchecked: false)
        if [.noError, .noSuchName].contains(answer.status) { return answer }
        problem = DNSError(.noAnswer, "\(name) \(type.text): the resolver \(server.text) says \(answer.status.text)")
      } catch {
        if error.reason == .badName { throw error }
        problem = DNSError(error.reason, "the resolver " + error.text)
      }
    }
    throw problem
  }

  /// The records of a name, aliases followed, as the first resolver that answers has them.
  public func records(_ name: String, _ type: DNSType) throws(DNSError) -> [DNSRecord] {
    let answer = try resolve(name, type)
    var owner = canonicalName(name)
    for _ in 0..<Self.mostAliases {
      guard let alias = answer.records(of: owner, .cname).first?.target else { break }
      owner = alias
    }
    return answer.records(of: owner, type)
  }

  /// The zone that a name is in.
  public func zone(of name: String) throws(DNSError) -> String {
    let name = canonicalName(name)
    if let known = zones[name] { return known }
    var candidate = name
    while !candidate.isEmpty {
      let answer = try resolve(candidate, .soa)
      let owner =
        answer.records(of: candidate, .soa).first?.name
        // Where the name is an alias, the SOA is of its target's zone.
        ?? (answer.records.contains { $0.type == .cname }
          ? nil : answer.authority.first { $0.type == .soa && isName(candidate, within: $0.name) }?.name)
      if let owner {
        zones[name] = owner
        return owner
      }
      candidate = candidate.split(separator: ".").dropFirst().joined(separator: ".")
    }
    throw DNSError(.noAnswer, "\(name) is in no zone that the resolver knows")
  }

  /// Who has a zone: what its NS records name.
  public func zoneServers(_ zone: String) throws(DNSError) -> [ZoneServer] {
    if let known = servers[zone] { return known }
    var found: [ZoneServer] = []
    for host in Set(try records(zone, .ns).compactMap(\.target)).sorted() {
      let addresses = try records(host, .a) + records(host, .aaaa)
      found.append(ZoneServer(host: host, servers: addresses.compactMap(\.address).map { DNSServer(address: $0) }))
    }
    servers[zone] = found
    return found
  }

  // MARK: Everywhere

  /// What each server of the name's zone says, then each resolver; of an alias the same for what it stands for.
  ///
  /// - Throws: when the zone or its servers cannot be found.
  public func everywhere(_ name: String, _ type: DNSType) throws(DNSError) -> [Sighting] {
    var sightings: [Sighting] = []
    var names = [canonicalName(name)]
    var index = 0
    while index < names.count, index < Self.mostAliases {
      let new = try authoritative(names[index], type)
      sightings += new
      for case .alias(let target) in new.map(\.outcome) where !names.contains(target) { names.append(target) }
      index += 1
    }
    return sightings + resolvers.map { Sighting(names[0], .resolver($0), resolved(names[0], type, $0)) }
  }

  /// What the servers of the zone say, the first that answers, aliases followed; where none does, what a resolver says. Resolvers have
  /// also what is in `/etc/hosts`, or another view of a zone, which nobody else sees.
  public func owned(_ name: String, _ type: DNSType) throws(DNSError) -> [DNSRecord] {
    let sightings: [Sighting]
    do throws(DNSError) { sightings = try everywhere(name, type) } catch { return try records(name, type) }
    var wanted = canonicalName(name)
    var isAnswered = false
    for sighting in sightings where sighting.name == wanted {
      guard case .authoritative = sighting.source else { continue }
      switch sighting.outcome {
      case .records(let records): return records
      case .alias(let target): wanted = target
      case .nothing: isAnswered = true
      case .failure: continue
      }
    }
    if isAnswered { return [] }
    return try records(name, type)
  }

  private func authoritative(_ name: String, _ type: DNSType) throws(DNSError) -> [Sighting] {
    var sightings: [Sighting] = []
    for host in try zoneServers(zone(of: name)) {
      if host.servers.isEmpty {
        sightings.append(Sighting(name, .nameless(host: host.host), .failure(.noAddress)))
      }
      let asked = host.servers.map {
        Sighting(name, .authoritative(host: host.host, $0), outcome(name, type, $0))
      }
      // Where there is no IPv6 the other address of the same server speaks for it.
      let reached = asked.filter { $0.outcome != .failure(.unreachable) }
      sightings += reached.isEmpty ? asked : reached
    }
    return sightings
  }

  private func outcome(_ name: String, _ type: DNSType, _ server: DNSServer) -> Sighting.Outcome {
    do throws(DNSError) {
      let answer = try ask(name, type, of: server, recursive: false, unchecked: false)
      switch answer.status {
      case .noError, .noSuchName:
        // A referral, or what a forwarder has from elsewhere.
        guard answer.isAuthoritative else { return .failure(.notAuthoritative) }
        let records = answer.records(of: name, type)
        if !records.isEmpty { return .records(records) }
        if type != .cname, let alias = answer.records(of: name, .cname).first?.target { return .alias(alias) }
        return .nothing
      case .refused: return .failure(.refused)
      case .notAuthoritative: return .failure(.notAuthoritative)
      case .serverFailure: return .failure(.serverFailure)
      case .other: return .failure(.other(answer.status.text))
      }
    } catch {
      return .failure(error.reason == .unreachable ? .unreachable : .noAnswer)
    }
  }

  private func resolved(_ name: String, _ type: DNSType, _ server: DNSServer) -> Sighting.Outcome {
    do throws(DNSError) {
      let answer = try ask(name, type, of: server, recursive: true, unchecked: false)
      switch answer.status {
      case .noError, .noSuchName:
        var owner = name
        for _ in 0..<Self.mostAliases {
          guard let alias = answer.records(of: owner, .cname).first?.target else { break }
          owner = alias
        }
        let records = answer.records(of: owner, type)
        return records.isEmpty ? .nothing : .records(records)
      case .serverFailure:
        let unchecked = try? ask(name, type, of: server, recursive: true, unchecked: true)
        return .failure([.noError, .noSuchName].contains(unchecked?.status) ? .bogus : .serverFailure)
      case .refused: return .failure(.refused)
      case .notAuthoritative, .other: return .failure(.other(answer.status.text))
      }
    } catch {
      return .failure(error.reason == .unreachable ? .unreachable : .noAnswer)
    }
  }
}
