import CLinux
import Glibc
import MailbootCore
import Text

/// Larger than any chain or key.
private let largestFile = 1 << 20

/// Checks certificates and keys at `now`, Unix seconds.
///
/// Findings: `.certificate` always; `.certificateExpiry` and `.certificateNames` only when a certificate could be read, the latter only
/// when there is a host name to look for.
///
/// - Parameter whenRead: called once every file has been read, before any of it is parsed.
public func checkCertificate(
  _ request: CertificateRequest, now: Int64, whenRead: () -> Void = {}
) -> FindingsReply {
  var files = CertificateFiles(reading: request.pairs.flatMap { [$0.certificate, $0.key] } + request.chainFiles)
  whenRead()
  for pair in request.pairs { files.take(pair) }
  files.takeSequence(request.chainFiles)
  var shown: [(url: String, chain: CertificateChain)] = []
  if !files.chains.isEmpty {
    for url in request.served {
      guard let chain = served(url, hostName: request.hostName), !files.has(chain) else { continue }
      shown.append((url, chain))
      if let problem = files.outdated(chain, shownBy: url) { files.problems.append(problem) }
    }
  }
  var findings = [Finding(.certificate, problems: files.problems, otherwise: files.summary)]
  if !files.chains.isEmpty {
    findings.append(CertificateExpiry(now: now).finding(on: files.chains, shown: shown))
    if let hostName = request.hostName {
      findings.append(names(of: files.chains, for: hostName))
    } else {
      findings.append(Finding(inapplicable: .certificateNames, "there is no host name to look for"))
    }
  }
  return FindingsReply(findings: findings)
}

/// A file as it was read, or why it could not be.
private final class ReadFile {
  let mode: mode_t
  let contents: WipedBytes
  let problem: FileProblem?

  /// Let's Encrypt's files are symbolic links.
  init(_ path: String) {
    do throws(FileProblem) {
      let file = try OpenedFile(path, followingLinks: true)
      contents = try file.secretContents(limit: largestFile)
      mode = file.status.st_mode & 0o7777
      problem = nil
    } catch {
      contents = WipedBytes(capacity: 0)
      mode = 0
      problem = error
    }
  }
}

/// What lies on the disk.
private struct CertificateFiles {
  private var read: [String: ReadFile] = [:]
  var chains: [CertificateChain] = []
  var paths: [String] = []
  var problems: [Problem] = []

  var summary: String {
    let counts = chains.map { counted($0.count, "certificate") + " in the chain" }
    return "certificate and key match, " + counts.joined(separator: " and ")
  }

  init(reading paths: [String]) {
    for path in paths where read[path] == nil { read[path] = ReadFile(path) }
  }

  private func file(_ path: String, _ kind: FindingKind) throws(Problem) -> ReadFile {
    guard let file = read[path] else { throw Problem(kind, "\(path) was not read") }
    if let problem = file.problem { throw problem.problem(kind) }
    return file
  }

  mutating func take(_ pair: CertificateRequest.Pair) {
    do throws(Problem) {
      let chain = Certificate.chain(pem: try file(pair.certificate, .certificateMissing).contents.contents)
      guard chain.count > 0 else {
        throw Problem(.certificateMissing, "\(pair.certificate) has no PEM certificate in it")
      }
      chains.append(chain)
      paths.append(pair.certificate)
      try matchKey(pair, chain)
      if let problem = gap(in: chain, pair.certificate) { problems.append(problem) }
    } catch {
      problems.append(error)
    }
  }

  /// As postfix reads `smtpd_tls_chain_files`: each key, then its certificates, in one file or in several.
  mutating func takeSequence(_ files: [String]) {
    var keyFile: String?
    for file in files {
      do throws(Problem) {
        let text = try self.file(file, .certificateMissing).contents.contents
        if text.containsASCII("PRIVATE KEY-----") { keyFile = file }
        guard text.containsASCII("CERTIFICATE-----") else { continue }
      } catch {
        problems.append(error)
        continue
      }
      guard let key = keyFile else {
        problems.append(Problem(.certificateKeyMissing, "no key comes before \(file)"))
        continue
      }
      take(CertificateRequest.Pair(certificate: file, key: key))
    }
  }

  private mutating func matchKey(_ pair: CertificateRequest.Pair, _ chain: CertificateChain) throws(Problem) {
    let file = try file(pair.key, .certificateKeyMissing)
    // A group may read it: Debian's `ssl-cert` is for that.
    if file.mode & 0o007 != 0 {
      problems.append(
        Problem(
          .certificateKeyOpen, "\(pair.key) is open to everybody (\(octal(file.mode)))",
          hint: "chmod o= \(shellWord(pair.key))"))
    }
    let key: PrivateKey
    do {
      key = try PrivateKey.parse(pem: file.contents.contents)
    } catch {
      throw Problem(.certificateKeyMissing, "\(pair.key) \(error.clause)")
    }
    switch chain.place(of: key) {
    case 0: return
    case nil: throw Problem(.certificateKeyForeign, "\(pair.key) is not the key of \(pair.certificate)")
    case let place?:
      throw Problem(
        .certificateKeyForeign, "\(pair.certificate) has the host's certificate in place \(place + 1)",
        hint: "the host's certificate must be the first, then the one that signed it")
    }
  }

  /// Browsers fetch what is missing in a chain, mail programs do not. One that is signed by a root itself needs nothing more.
  private func gap(in chain: CertificateChain, _ path: String) -> Problem? {
    guard chain.path.count == 1, !chain.isSelfSigned(0), !chain.hasTrustedIssuer(0) else { return nil }
    return Problem(
      .certificateChain,
      "\(path) lacks the certificate of \(chain.issuer(of: 0)), which signed the host's: phones refuse it",
      hint: "use the file with the whole chain (of certbot's files fullchain.pem, not cert.pem)")
  }
}

private func served(_ text: String, hostName: String?) -> CertificateChain? {
  guard let url = try? ProbeURL(parsing: text), url.scheme.showsCertificate else { return nil }
  return servedCertificate(url, hostName: hostName)
}

extension CertificateFiles {
  /// Whether the first of the chain is the first of one here.
  fileprivate func has(_ shown: CertificateChain) -> Bool {
    chains.contains { chain in chain.with(0) { disk in shown.with(0) { $0.isSame(as: disk) } } }
  }

  /// A renewed certificate that a service has not read again: it shows an older one for the same names.
  fileprivate func outdated(_ shown: CertificateChain, shownBy url: String) -> Problem? {
    let (names, end) = shown.with(0) { ($0.names, $0.validity?.until) }
    guard let end else { return nil }
    for (chain, path) in zip(chains, paths)
    where chain.with(0, { $0.names == names && $0.validity.map { $0.until > end } ?? false }) {
      return Problem(
        .certificateServed, "\(url) shows one valid until \(dayText(end)), not the one in \(path)",
        hint:
          "have the service read it again, such as by `systemctl reload postfix dovecot`, and by a deploy hook of certbot"
      )
    }
    return nil
  }
}

/// Each must cover it: which of them a client gets is not for us to say.
private func names(of chains: [CertificateChain], for hostName: String) -> Finding {
  let name = hostName.hasSuffix(".") ? String(hostName.dropLast()) : hostName
  guard
    let names = chains.lazy.compactMap({ chain in
      chain.with(0) { !name.isEmpty && $0.covers(name) ? nil : $0.names }
    }).first
  else {
    return Finding(sound: .certificateNames, "covers \(name)")
  }
  let shown = names.prefix(8).joined(separator: ", ") + (names.count > 8 ? ", …" : "")
  let detail = "does not cover \(name)" + (names.isEmpty ? ": it has no names" : ", only \(shown)")
  return Finding(
    .certificateNames, printable(detail, limit: 500),
    hint: "get one for it, or make `postconf myhostname` a name that the certificate covers")
}
