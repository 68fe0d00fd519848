import CLinux
import Glibc
import MailbootCore
import Text

/// Checks that every domain has a DKIM key with which rspamd can sign what its published record verifies.
///
/// One finding, `.dkim`. Needs root to become the user who signs; the keys are read and parsed as that user.
public func checkDKIM(_ request: DKIMRequest) -> FindingsReply {
  let problems: [Problem]
  var summary = "no domains"
  do {
    (problems, summary) = try dkimProblems(request)
  } catch {
    problems = [error]
  }
  return FindingsReply(findings: [Finding(.dkim, problems: problems, otherwise: summary)])
}

private func dkimProblems(_ request: DKIMRequest) throws(Problem) -> ([Problem], String) {
  guard let user = UserAccount(named: request.user) else {
    throw Problem(
      "there is no user \(request.user) to read the DKIM keys", hint: "is rspamd installed? see `dkim-user`")
  }
  let directory = try DKIMDirectory(request.directory, user: user)
  // rspamd looks for the domain in lower case.
  let domains = request.domains.map { $0.lowercased() }
  var problems: [Problem] = []
  var keys: [DKIMKey] = []
  for domain in domains {
    guard isFileNamePart(domain) else {
      problems.append(Problem("\"\(printable(domain, limit: 60))\" is no domain name"))
      continue
    }
    guard let selector = directory.selector(of: domain, configured: request.selector, among: domains) else {
      problems.append(.missingKey(of: domain, selector: request.selector, in: directory, user: user))
      continue
    }
    keys.append(DKIMKey(domain: domain, selector: selector, directory: directory, user: user))
  }
  if !keys.isEmpty {
    let facts = try DKIMKeyReader.read(keys.map(\.path), as: user)
    problems += zip(keys, facts).compactMap { $0.problem(with: $1) }
  }
  return (problems, summary(of: keys, configured: request.selector))
}

/// "2 domains signed by 202001", or with the exceptions "2 domains signed by 202001, example.net by 2024".
private func summary(of keys: [DKIMKey], configured: String) -> String {
  guard !keys.isEmpty else { return "no domains" }
  let others = keys.filter { $0.selector != configured }
  let regular = keys.count - others.count
  var parts = regular > 0 ? ["\(counted(regular, "domain")) signed by \(configured)"] : []
  parts += others.prefix(5).map { "\($0.domain) signed by \($0.selector) (not \(configured))" }
  if others.count > 5 { parts.append("\(others.count - 5) more by other selectors") }
  return printable(parts.joined(separator: ", "), limit: 500)
}

/// True when a domain can be part of a file name: names come from a database.
private func isFileNamePart(_ domain: String) -> Bool {
  !domain.isEmpty && !domain.hasPrefix(".") && domain.utf8.count <= 253
    && domain.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7f && $0 != UInt8(ascii: "/") }
}

/// One domain's key file.
private struct DKIMKey {
  var domain: String
  var selector: String
  var directory: DKIMDirectory
  var user: UserAccount

  var path: String { directory.keyPath(domain, selector) }

  /// What is wrong, given what the user who signs could read.
  func problem(with facts: DKIMKeyFacts) -> Problem? {
    switch facts {
    case .unreadable(let number):
      return Problem(
        "\(domain): \(user.name) cannot read \(path): \(errorText(number))",
        hint: "chown \(user.ownership) \(shellWord(directory.path)) \(shellWord(path)) && "
          + "chmod 0750 \(shellWord(directory.path)) && chmod 0640 \(shellWord(path))")
    case .unusable(let reason):
      return Problem("\(domain): \(path) \(reason)", hint: newKeyHint)
    case .usable(let algorithm, let bits, let publicForms):
      if algorithm == "rsa", bits < DKIMKeyFacts.leastRSABits {
        return Problem(
          "\(domain): \(path) has \(bits) bits, fewer than \(DKIMKeyFacts.leastRSABits)", hint: newKeyHint)
      }
      return recordProblem(algorithm: algorithm, publicForms: publicForms)
    }
  }

  private var newKeyHint: String {
    "restore it from a backup, or make a new one and publish its record: "
      + Problem.keygenCommand(domain: domain, selector: selector, in: directory, user: user)
  }

  private func recordProblem(algorithm: String, publicForms: [String]) -> Problem? {
    let recordPath = directory.recordPath(domain, selector)
    let text: String
    do {
      let file = try OpenedFile(recordPath, followingLinks: true)
      text = String(decoding: try file.prefix(65536), as: UTF8.self)
    } catch {
      return Problem("\(domain): \(error.detail)", hint: recordCommand(algorithm: algorithm))
    }
    guard let record = DKIMRecord(zoneText: text) else {
      return Problem("\(domain): \(recordPath) has no p= in it", hint: recordCommand(algorithm: algorithm))
    }
    guard record.algorithm == algorithm, publicForms.contains(record.publicKey) else {
      return Problem(
        "\(domain): \(path) does not match \(recordPath)",
        hint: "dig +short TXT \(selector)._domainkey.\(shellWord(domain)) shows which of them is published")
    }
    return nil
  }

  /// Writes the record for the zone again, from the key; nil where openssl cannot read the key file.
  private func recordCommand(algorithm: String) -> String? {
    guard algorithm == "rsa" else { return nil }
    let key = shellWord(path)
    let start = shellWord("\(selector)._domainkey IN TXT ( \"v=DKIM1; k=rsa; p=\"")
    return "{ echo \(start); openssl pkey -in \(key) -pubout -outform DER | base64 -w 250 | sed 's/.*/\"&\"/'; "
      + "echo ') ;'; } > \(shellWord(directory.recordPath(domain, selector)))"
  }
}

extension Problem {
  fileprivate static func missingKey(
    of domain: String, selector: String, in directory: DKIMDirectory, user: UserAccount
  ) -> Problem {
    Problem(
      "\(domain): \(directory.keyPath(domain, selector)) is missing",
      hint: keygenCommand(domain: domain, selector: selector, in: directory, user: user))
  }

  fileprivate static func keygenCommand(
    domain: String, selector: String, in directory: DKIMDirectory, user: UserAccount
  ) -> String {
    let key = shellWord(directory.keyPath(domain, selector))
    let record = shellWord(directory.recordPath(domain, selector))
    return "rspamadm dkim_keygen -b 2048 -d \(shellWord(domain)) -s \(shellWord(selector)) -k \(key) > \(record) && "
      + "chown \(user.ownership) \(key) \(record) && chmod 0640 \(key)"
  }
}
