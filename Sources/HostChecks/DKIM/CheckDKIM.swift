import CLinux
import Glibc
import Linux
import MailbootCore
import Text

/// Checks that every domain that is to be signed has a key with which rspamd can sign.
///
/// One finding, `.dkim`. Where rspamd's own configuration is known it says where the keys are, else they are in the directory of the
/// request. Needs root to become the user who signs; the keys are read and parsed as that user.
public func checkDKIM(_ request: DKIMRequest) -> FindingsReply {
  var check = DKIMCheck(request)
  do {
    return FindingsReply(findings: [try check.finding()])
  } catch {
    return FindingsReply(findings: [Finding(.dkim, problems: check.problems + [error], otherwise: "")])
  }
}

private struct DKIMCheck {
  let request: DKIMRequest
  var problems: [Problem] = []
  /// Each domain's key that is used, for the summary.
  var used: [DKIMKeyPlace] = []

  init(_ request: DKIMRequest) { self.request = request }

  mutating func finding() throws(Problem) -> Finding {
    if request.domains?.isEmpty ?? false { return Finding(sound: .dkim, "no domains") }
    switch request.signing.flatMap(RspamdSigning.read(configdump:)) {
    case .off(let why)?, .cannotBeLookedAt(let why)?: return Finding(inapplicable: .dkim, why)
    case .signs(let signing)?: return try finding(signing)
    case nil: return try findingInDirectory()
    }
  }

  // MARK: Where rspamd says

  private mutating func finding(_ signing: RspamdSigning) throws(Problem) -> Finding {
    let domains = domains(otherwise: signing.namedDomains + signing.domainsWithKeys())
    if domains.isEmpty, problems.isEmpty { return unknown }
    let places = domains.map { signing.places(for: $0) }
    let files = try read(places.joined().joined())
    if !signing.isConfigured, files.values.allSatisfy({ $0.key == .unreadable(ENOENT) }) {
      return Finding(inapplicable: .dkim, "rspamd has no key in \(parentDirectory(of: RspamdSigning.standardPath))")
    }
    // Looked into only for what rspamd will not find.
    let ours = UserAccount(named: request.user).flatMap { try? DKIMDirectory(request.directory, user: $0) }
    for (domain, names) in zip(domains, places) {
      // Of the domain and those above it the first that has keys is the one.
      let there = names.first { $0.contains { files[$0.path]?.key != .unreadable(ENOENT) } }
      if names.isEmpty {
        problems.append(Problem(.dkimUnlisted, "\(domain) is not among the domains that rspamd signs for"))
      } else if let keys = there {
        judge(keys, files)
      } else if let other = ours?.selector(of: domain, configured: names[0][0].selector, among: domains) {
        problems.append(
          Problem(
            .dkimOtherSelector,
            "\(domain): rspamd looks for \(names[0][0].path), and there is only \(ours?.keyPath(domain, other) ?? other)"
          ))
      } else {
        problems.append(missingKey(names[0][0]))
      }
    }
    return Finding(.dkim, problems: problems, otherwise: summary(usual: signing.selector))
  }

  // MARK: Where we say

  private mutating func findingInDirectory() throws(Problem) -> Finding {
    let directory = try DKIMDirectory(request.directory, user: try signer())
    let domains = domains(otherwise: directory.domains(selector: request.selector))
    if domains.isEmpty, problems.isEmpty { return unknown }
    var places: [DKIMKeyPlace] = []
    for domain in domains {
      if let selector = directory.selector(of: domain, configured: request.selector, among: domains) {
        places.append(directory.place(domain, selector))
      } else {
        problems.append(missingKey(directory.place(domain, request.selector)))
      }
    }
    let files = try read(places)
    for place in places { judge([place], files) }
    return Finding(.dkim, problems: problems, otherwise: summary(usual: request.selector))
  }

  // MARK: Both

  private var unknown: Finding { Finding(inapplicable: .dkim, "no key says which domains there are") }

  /// In lower case, as rspamd looks for them.
  private mutating func domains(otherwise found: [String]) -> [String] {
    guard let domains = request.domains else { return Set(found.map { $0.lowercased() }).sorted() }
    return domains.map { $0.lowercased() }.filter { domain in
      if isFileNamePart(domain) { return true }
      problems.append(Problem(.dkimDomainName, "\"\(printable(domain, limit: 60))\" is no domain name"))
      return false
    }
  }

  private func signer() throws(Problem) -> UserAccount {
    guard let user = UserAccount(named: request.user) else {
      throw Problem(
        .dkimKeyUnreadable, "there is no user \(request.user) to read the DKIM keys",
        hint: "is rspamd installed? see `dkim-user`")
    }
    return user
  }

  /// By path.
  private func read(_ places: some Sequence<DKIMKeyPlace>) throws(Problem) -> [String: DKIMFiles] {
    var unique: [String: DKIMKeyPlace] = [:]
    for place in places { unique[place.path] = place }
    let all = Array(unique.values)
    if all.isEmpty { return [:] }
    return Dictionary(zip(all.map(\.path), try DKIMKeyReader.read(all, as: try signer()))) { first, _ in first }
  }

  /// Of a domain that has several keys one that works is enough to have it signed.
  private mutating func judge(_ keys: [DKIMKeyPlace], _ files: [String: DKIMFiles]) {
    var broken: [Problem] = []
    var works = false
    for place in keys {
      guard let found = files[place.path] else { continue }
      guard case .usable(let algorithm, let bits, let forms) = found.key else {
        if let problem = brokenKey(place, found.key) { broken.append(problem) }
        continue
      }
      if !works { used.append(place) }
      works = true
      if algorithm == "rsa", bits < DKIMKeyFacts.usualRSABits {
        problems.append(
          Problem(
            .dkimShortKey, "\(place.domain): \(place.path) has \(bits) bits, fewer than \(DKIMKeyFacts.usualRSABits)",
            hint: newKeyHint(place)))
      }
      if let problem = recordProblem(place, found, algorithm: algorithm, forms: forms) { problems.append(problem) }
    }
    problems += broken.map { problem in
      var problem = problem
      if works { problem.kind = .dkimSpareKey }
      return problem
    }
  }

  private func brokenKey(_ place: DKIMKeyPlace, _ facts: DKIMKeyFacts) -> Problem? {
    switch facts {
    case .unreadable(ENOENT): return missingKey(place)
    case .unreadable(let number):
      let directory = shellWord(parentDirectory(of: place.path))
      return Problem(
        .dkimKeyUnreadable, "\(place.domain): \(request.user) cannot read \(place.path): \(errorText(number))",
        hint: "chown \(ownership) \(directory) \(shellWord(place.path)) && "
          + "chmod 0750 \(directory) && chmod 0640 \(shellWord(place.path))")
    case .unusable(let reason):
      return Problem(.dkimKeyUnusable, "\(place.domain): \(place.path) \(reason)", hint: newKeyHint(place))
    case .usable: return nil
    }
  }

  private func missingKey(_ place: DKIMKeyPlace) -> Problem {
    Problem(.dkimKeyMissing, "\(place.domain): \(place.path) is missing", hint: keygenCommand(place))
  }

  private var ownership: String { UserAccount(named: request.user)?.ownership ?? shellWord(request.user) }

  private func newKeyHint(_ place: DKIMKeyPlace) -> String {
    "restore it from a backup, or make a new one and publish its record: "
      + (isMadeByMailhost(place) ? "mailhost dkim rotate \(shellWord(place.domain))" : keygenCommand(place))
  }

  /// Whether `mailhost` has the keys of this host in its hands.
  private func isMadeByMailhost(_ place: DKIMKeyPlace) -> Bool {
    fileStatus(mailHostSettingsPath) != nil && parentDirectory(of: place.path) == request.directory
  }

  private func keygenCommand(_ place: DKIMKeyPlace) -> String {
    if isMadeByMailhost(place) { return "mailhost dkim generate \(shellWord(place.domain))" }
    let key = shellWord(place.path)
    let record = shellWord(place.recordPath)
    return
      "rspamadm dkim_keygen -b 2048 -d \(shellWord(place.domain)) -s \(shellWord(place.selector)) -k \(key) > \(record)"
      + " && chown \(ownership) \(key) \(record) && chmod 0640 \(key)"
  }

  /// What is published nobody knows from here: the file is a note of it, and elsewhere than in our directory nobody is used to one.
  private func recordProblem(
    _ place: DKIMKeyPlace, _ found: DKIMFiles, algorithm: String, forms: [String]
  ) -> Problem? {
    guard let records = found.records else {
      guard found.recordError == ENOENT, parentDirectory(of: place.path) == request.directory else { return nil }
      return Problem(
        .dkimRecordMissing, "\(place.domain): \(place.recordPath) is missing",
        hint: recordCommand(place, algorithm: algorithm))
    }
    guard !records.isEmpty else {
      return Problem(
        .dkimRecordDiffers, "\(place.domain): \(place.recordPath) has no p= in it",
        hint: recordCommand(place, algorithm: algorithm))
    }
    if records.contains(where: { $0.algorithm == algorithm && forms.contains($0.publicKey) }) { return nil }
    return Problem(
      .dkimRecordDiffers, "\(place.domain): \(place.path) does not match \(place.recordPath)",
      hint: "dig +short TXT \(place.selector)._domainkey.\(shellWord(place.domain)) shows which of them is published")
  }

  /// Writes the record for the zone again, from the key; nil where openssl cannot read the key file.
  private func recordCommand(_ place: DKIMKeyPlace, algorithm: String) -> String? {
    guard algorithm == "rsa" else { return nil }
    let start = shellWord("\(place.selector)._domainkey IN TXT ( \"v=DKIM1; k=rsa; p=\"")
    return "{ echo \(start); openssl pkey -in \(shellWord(place.path)) -pubout -outform DER | base64 -w 250"
      + " | sed 's/.*/\"&\"/'; echo ') ;'; } > \(shellWord(place.recordPath))"
  }

  /// "2 domains signed by 202001", or with the exceptions "2 domains signed by 202001, example.net by 2024".
  private func summary(usual: String) -> String {
    guard let first = used.first else { return "no domains" }
    if first.domain == RspamdSigning.everyDomain { return "every domain signed by \(first.selector)" }
    let others = used.filter { $0.selector != usual }
    let regular = used.count - others.count
    var parts = regular > 0 ? ["\(counted(regular, "domain")) signed by \(usual)"] : []
    parts += others.prefix(5).map { "\($0.domain) signed by \($0.selector) (not \(usual))" }
    if others.count > 5 { parts.append("\(others.count - 5) more by other selectors") }
    return printable(parts.joined(separator: ", "), limit: 500)
  }
}

/// True when a domain can be part of a file name: names come from a database.
private func isFileNamePart(_ domain: String) -> Bool {
  !domain.isEmpty && !domain.hasPrefix(".") && domain.utf8.count <= 253
    && domain.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7f && $0 != UInt8(ascii: "/") }
}
