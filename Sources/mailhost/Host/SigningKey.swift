import MailHost

/// A new key to sign mail with: RSA of 2048 bits, PKCS#8, as rspamd of every release reads it and every receiver knows it.
struct SigningKey {
  let pem: [UInt8]
  /// As a line of a zone file: `SELECTOR._domainkey IN TXT ( "v=DKIM1; k=rsa; " "p=…" )`.
  let record: String

  /// Made by openssl, which the package ca-certificates brings; the key comes through a pipe, and is nowhere else.
  init(selector: String) throws(HostFailure) {
    let openssl = "/usr/bin/openssl"
    pem = Array(
      try succeed([openssl, "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"]).output.utf8)
    let half = try succeed([openssl, "pkey", "-pubout"], input: pem).output
    let base64 = half.split(separator: "\n").filter { !$0.hasPrefix("-") }.joined()
    // A string of a TXT record has at most 255 bytes.
    var pieces: [String] = []
    var rest = ("p=" + base64)[...]
    while !rest.isEmpty {
      pieces.append("\"\(rest.prefix(250))\"")
      rest = rest.dropFirst(250)
    }
    record = "\(selector)._domainkey IN TXT ( \"v=DKIM1; k=rsa; \" \(pieces.joined(separator: " ")) ) ;\n"
  }
}
