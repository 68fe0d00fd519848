import COpenSSL

/// The client's side of TLS over bytes that others carry: OpenSSL reads and writes memory only, so that no write of its
/// own raises SIGPIPE.
///
/// The certificate is not verified unless it is asked for: the question is whether the service speaks, usually on a loopback address
/// that no certificate names. The certificate itself has checks of its own.
final class TLSSession {
  enum Progress {
    case done
    /// More bytes from the network are needed.
    case starved
  }

  private let ssl: OpaquePointer
  private let incoming: OpaquePointer
  private let outgoing: OpaquePointer

  /// - Parameters:
  ///   - serverName: goes into the first message; nil for a literal address.
  ///   - verifying: whether the certificate must be one for that name that this machine trusts.
  init(serverName: String?, verifying: Bool = false) throws(Silence) {
    guard let context = SSL_CTX_new(TLS_client_method()) else { throw Silence(reason: "TLS: \(opensslErrors())") }
    defer { SSL_CTX_free(context) }
    SSL_CTX_set_verify(context, verifying ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nil)
    if verifying { SSL_CTX_set_default_verify_paths(context) }
    guard let ssl = SSL_new(context), let incoming = BIO_new(BIO_s_mem()), let outgoing = BIO_new(BIO_s_mem()) else {
      throw Silence(reason: "TLS: \(opensslErrors())")
    }
    // Both belong to the session from here on.
    SSL_set_bio(ssl, incoming, outgoing)
    SSL_set_connect_state(ssl)
    if let serverName { _ = mb_ssl_set_server_name(ssl, serverName) }
    if verifying { SSL_set1_host(ssl, serverName ?? "") }
    self.ssl = ssl
    self.incoming = incoming
    self.outgoing = outgoing
  }

  deinit {
    SSL_free(ssl)
  }

  /// Hands over what came from the network.
  func feed(_ bytes: [UInt8]) {
    bytes.withUnsafeBytes { _ = BIO_write(incoming, $0.baseAddress, Int32($0.count)) }
  }

  /// Takes what must go to the network.
  func drain() -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: BIO_ctrl_pending(outgoing))
    guard !bytes.isEmpty else { return [] }
    let count = bytes.withUnsafeMutableBytes { BIO_read(outgoing, $0.baseAddress, Int32($0.count)) }
    return Array(bytes.prefix(Int(max(0, count))))
  }

  func handshake() throws(Silence) -> Progress {
    ERR_clear_error()
    let status = SSL_do_handshake(ssl)
    if status == 1 { return .done }
    guard SSL_get_error(ssl, status) == SSL_ERROR_WANT_READ else {
      let fault = SSL_get_verify_result(ssl)
      if fault != Int(X509_V_OK) {
        ERR_clear_error()
        throw Silence(reason: "the certificate is not good: \(String(cString: X509_verify_cert_error_string(fault)))")
      }
      throw Silence(reason: "TLS handshake failed: \(opensslErrors())")
    }
    return .starved
  }

  func encrypt(_ bytes: [UInt8]) throws(Silence) {
    ERR_clear_error()
    let status = bytes.withUnsafeBytes { SSL_write(ssl, $0.baseAddress, Int32($0.count)) }
    guard status == bytes.count else { throw Silence(reason: "TLS failed: \(opensslErrors())") }
  }

  /// Decrypted bytes; nil when more bytes from the network are needed, empty when the other side has ended the session.
  func decrypted() throws(Silence) -> [UInt8]? {
    ERR_clear_error()
    var buffer = [UInt8](repeating: 0, count: 16384)
    let count = buffer.withUnsafeMutableBytes { SSL_read(ssl, $0.baseAddress, Int32($0.count)) }
    if count > 0 { return Array(buffer.prefix(Int(count))) }
    switch SSL_get_error(ssl, count) {
    case SSL_ERROR_WANT_READ: return nil
    case SSL_ERROR_ZERO_RETURN: return []
    default: throw Silence(reason: "TLS failed: \(opensslErrors())")
    }
  }

  /// What the server has shown of itself, after the handshake.
  func peerCertificate() -> OpaquePointer? { SSL_get1_peer_certificate(ssl) }

  /// Says that nothing more will come, so that the server does not log a truncated session.
  func shutdown() {
    SSL_shutdown(ssl)
  }
}

/// The first queued OpenSSL error in words; empties the queue.
package func opensslErrors() -> String {
  let code = ERR_get_error()
  ERR_clear_error()
  guard code != 0 else { return "no reason given" }
  guard let reason = ERR_reason_error_string(code) else { return "error \(code)" }
  return String(cString: reason)
}
