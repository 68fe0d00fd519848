import COpenSSL
import Foundation
import HostChecks
import MailbootCore
import TestSupport

/// A DKIM directory with keys as `rspamadm dkim_keygen` leaves them, owned by a user that every machine has.
struct DKIMFixture {
  /// Holds the DKIM directory, so that its own mode can be that of a mail host.
  let parent: TemporaryDirectory
  var path: String { parent.file("dkim") }
  let user = "nobody"
  static let selector = "202001"

  init(domains: [String] = []) throws {
    parent = try TemporaryDirectory()
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    for domain in domains { try addRSA(domain) }
    try giveToUser()
  }

  func giveToUser() throws {
    let given = try runInShell("chown -R nobody:nogroup \(path) && chmod 0750 \(path) && chmod 0640 \(path)/* || true")
    guard given.status == 0 else { throw SQLError(message: given.output) }
  }

  func key(_ domain: String, _ selector: String = selector) -> String { "\(path)/\(domain).\(selector).key" }
  func record(_ domain: String, _ selector: String = selector) -> String { "\(path)/\(domain).\(selector).txt" }

  /// Two keys, PKCS#8 as rspamadm writes them; made once, since making them takes the tests' most time.
  private static let keys = Result { try (0..<2).map { _ in try makeRSA(bits: 2048) } }

  private static func makeRSA(bits: Int) throws -> String {
    let made = try runProgram(
      "/usr/bin/openssl", ["genpkey", "-quiet", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:\(bits)"])
    guard made.status == 0 else { throw SQLError(message: made.output) }
    return made.output
  }

  /// Neighbouring domains get different keys.
  func addRSA(_ domain: String, selector: String = selector, bits: Int = 2048, traditional: Bool = false) throws {
    let key = key(domain, selector)
    let place = try FileManager.default.contentsOfDirectory(atPath: path).count / 2 % 2
    let pem = try bits == 2048 ? Self.keys.get()[place] : Self.makeRSA(bits: bits)
    try pem.write(toFile: key, atomically: false, encoding: .utf8)
    if traditional {
      let made = try runInShell("openssl pkey -traditional -in \(key) -out \(key).new && mv \(key).new \(key)")
      guard made.status == 0 else { throw SQLError(message: made.output) }
    }
    let publicKey = try runInShell("openssl pkey -in \(key) -pubout -outform DER | base64 -w0").output
    try writeRecord(domain, selector: selector, algorithm: "rsa", publicKey: publicKey)
  }

  /// In the form of rspamadm: several strings in parentheses.
  func writeRecord(_ domain: String, selector: String = selector, algorithm: String, publicKey: String) throws {
    let half = publicKey.index(publicKey.startIndex, offsetBy: min(250, publicKey.count))
    try """
    \(selector)._domainkey IN TXT ( "v=DKIM1; k=\(algorithm); "
    \t"p=\(publicKey[..<half])"
    \t"\(publicKey[half...])"
    ) ;

    """.write(toFile: record(domain, selector), atomically: false, encoding: .utf8)
  }

  /// - Parameter signing: what rspamd says of its settings, a section's JSON.
  func check(_ domains: [String]?, user: String? = nil, signing: String? = nil) -> Finding {
    let reply = checkDKIM(
      DKIMRequest(
        directory: path, selector: Self.selector, domains: domains, user: user ?? self.user, signing: signing))
    return reply.findings.count == 1
      ? reply.findings[0] : Finding(notMade: .dkim, "\(reply.findings.count) findings")
  }
}
