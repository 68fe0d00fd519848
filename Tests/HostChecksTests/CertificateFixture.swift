import COpenSSL
import Foundation
import TestSupport

/// A self-signed certificate and its key, made by `openssl`, valid from now on for `days`.
struct CertificateFixture {
  let directory: TemporaryDirectory
  var certificate: String { directory.file("fullchain.pem") }
  var key: String { directory.file("privkey.pem") }

  init(commonName: String = "mail.example.org", names: [String] = ["mail.example.org"], days: Int = 90) throws {
    directory = try TemporaryDirectory()
    var arguments = [
      "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=\(commonName)",
      "-days", "\(days)", "-keyout", key, "-out", certificate,
    ]
    if !names.isEmpty {
      arguments += ["-addext", "subjectAltName=" + names.map { "DNS:" + $0 }.joined(separator: ",")]
    }
    let made = try runProgram("/usr/bin/openssl", arguments)
    guard made.status == 0, chmod(key, 0o600) == 0 else { throw SQLError(message: made.output) }
  }

  /// For a TLS server; to be freed by the caller.
  func serverContext() throws -> OpaquePointer {
    guard let context = SSL_CTX_new(TLS_server_method()),
      SSL_CTX_use_certificate_chain_file(context, certificate) == 1,
      SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) == 1
    else { throw SQLError(message: "no TLS server") }
    return context
  }
}
