import HostChecks
import MailHost

/// A new key to sign mail with, as rspamd of every release reads it: RSA of 2048 bits as PKCS#8, Ed25519 as the base64 of its seed.
struct SigningKey {
  let file: [UInt8]
  let record: KeyRecord

  /// Made by openssl, which the package ca-certificates brings; the key comes through a pipe, and is nowhere else.
  init(domain: String, selector: String, algorithm: KeyAlgorithm = .rsa) throws(HostFailure) {
    let openssl = "/usr/bin/openssl"
    let publicKey: String
    switch algorithm {
    case .rsa:
      file = try succeed([openssl, "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"]).bytes
      publicKey = Self.base64(try succeed([openssl, "pkey", "-pubout"], input: file).output)
    case .ed25519:
      let pem = try succeed([openssl, "genpkey", "-algorithm", "ED25519"]).bytes
      // The last 32 bytes of PKCS#8 are the seed, and those of the public key's structure the key (RFC 8410, sections 4 and 7).
      guard let key = decodedBase64(Self.base64(String(decoding: pem, as: UTF8.self))), key.count == 48,
        let half = decodedBase64(Self.base64(try succeed([openssl, "pkey", "-pubout"], input: pem).output)),
        half.count == 44
      else { throw HostFailure(.failed, "openssl made no Ed25519 key") }
      file = Array((HostChecks.base64(Array(key.suffix(32))) + "\n").utf8)
      publicKey = HostChecks.base64(Array(half.suffix(32)))
    }
    record = KeyRecord(domain: domain, selector: selector, algorithm: algorithm, publicKey: publicKey)
  }

  private static func base64(_ pem: String) -> String {
    pem.split(separator: "\n").filter { !$0.hasPrefix("-") }.joined()
  }
}
