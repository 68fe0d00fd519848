import CLinux
import Glibc
import MailbootCore
import Text

/// Larger than any chain or key.
private let largestFile = 1 << 20

/// A certificate must be good for at least so many more days.
private let leastDays: Int64 = 7
private let day: Int64 = 86400

/// Checks certificate and key at `now`, Unix seconds.
///
/// Findings: `.certificate` always (files there and matching, key not open to everybody); `.certificateExpiry` and
/// `.certificateNames` only when the certificate could be read, the latter only when there is a host name to look for.
public func checkCertificate(_ request: CertificateRequest, now: Int64) -> FindingsReply {
  var files = CertificateFiles()
  var findings: [Finding] = []
  do throws(Problem) {
    let chain = try readFile(request.certificate)
    let count = Certificate.forEach(pem: chain.contents) { index, certificate in
      guard index == 0 else { return }
      findings.append(expiry(of: certificate, at: now))
      if let hostName = request.hostName { findings.append(names(of: certificate, for: hostName)) }
    }
    guard count > 0 else { throw Problem("\(request.certificate) has no PEM certificate in it") }
    files.count = count
    do throws(Problem) {
      try files.matchKey(request, chain: chain)
    } catch {
      files.problems.append(error)
    }
  } catch {
    files.problems.append(error)
  }
  let sound = "certificate and key match, \(counted(files.count, "certificate")) in the chain"
  return FindingsReply(findings: [Finding(.certificate, problems: files.problems, otherwise: sound)] + findings)
}

private func readFile(_ path: String) throws(Problem) -> WipedBytes {
  // Let's Encrypt's files are symbolic links.
  try OpenedFile(path, followingLinks: true).secretContents(limit: largestFile)
}

private struct CertificateFiles {
  var problems: [Problem] = []
  var count = 0

  mutating func matchKey(_ request: CertificateRequest, chain: borrowing WipedBytes) throws(Problem) {
    let file = try OpenedFile(request.key, followingLinks: true)
    let mode = file.status.st_mode & 0o7777
    if mode & 0o007 != 0 {
      problems.append(
        Problem(
          "\(request.key) is open to everybody (\(octal(mode)))", hint: "chmod o= \(shellWord(request.key))"))
    }
    let contents = try file.secretContents(limit: largestFile)
    let key = try parseKey(contents, path: request.key)
    var matching: Int?
    _ = Certificate.forEach(pem: chain.contents) { index, certificate in
      if matching == nil, certificate.hasPublicKey(of: key) { matching = index }
    }
    switch matching {
    case 0: return
    case nil: throw Problem("\(request.key) is not the key of \(request.certificate)")
    case let place?:
      throw Problem(
        "\(request.certificate) has the host's certificate in place \(place + 1)",
        hint: "the host's certificate must be the first, then the one that signed it")
    }
  }
}

private func parseKey(_ contents: borrowing WipedBytes, path: String) throws(Problem) -> PrivateKey {
  do {
    return try PrivateKey.parse(pem: contents.contents)
  } catch {
    throw Problem("\(path) \(error.clause)")
  }
}

private func expiry(of certificate: borrowing Certificate, at now: Int64) -> Finding {
  guard let (from, until) = certificate.validity else {
    return Finding(.certificateExpiry, sound: false, detail: "the certificate has no readable dates")
  }
  let hint = "renew it: certbot renew"
  if until < now {
    return Finding(.certificateExpiry, sound: false, detail: "expired on \(dayText(until))", hint: hint)
  }
  if from > now {
    return Finding(
      .certificateExpiry, sound: false, detail: "not valid before \(dayText(from))",
      hint: "is this machine's clock right? see: timedatectl")
  }
  let left = until - now
  if left < leastDays * day {
    let time = left < day ? counted(Int(left / 3600), "hour") : counted(Int(left / day), "day")
    return Finding(.certificateExpiry, sound: false, detail: "expires in \(time)", hint: hint)
  }
  let detail = "valid until \(dayText(until)) (\(counted(Int(left / day), "day")))"
  return Finding(.certificateExpiry, sound: true, detail: detail)
}

private func names(of certificate: borrowing Certificate, for hostName: String) -> Finding {
  let name = hostName.hasSuffix(".") ? String(hostName.dropLast()) : hostName
  if !name.isEmpty, certificate.covers(name) {
    return Finding(.certificateNames, sound: true, detail: "covers \(name)")
  }
  let names = certificate.names
  let shown = names.prefix(8).joined(separator: ", ") + (names.count > 8 ? ", …" : "")
  let detail = "does not cover \(name)" + (names.isEmpty ? ": it has no names" : ", only \(shown)")
  return Finding(
    .certificateNames, sound: false, detail: printable(detail, limit: 500),
    hint: "get one for it, or make `postconf myhostname` a name that the certificate covers")
}
