import CLinux
import COpenSSL
import Glibc

/// An X.509 certificate.
package struct Certificate: ~Copyable {
  private let pointer: OpaquePointer

  /// Takes the certificate over.
  init(pointer: OpaquePointer) {
    self.pointer = pointer
  }

  deinit {
    X509_free(pointer)
  }

  /// The certificates in PEM text, in order, as far as they parse: calls `body` for each with its place, first is 0.
  /// Returns how many there were.
  static func forEach(
    pem: UnsafeRawBufferPointer, _ body: (Int, borrowing Certificate) -> Void
  ) -> Int {
    guard let bio = BIO_new_mem_buf(pem.baseAddress, Int32(clamping: pem.count)) else { return 0 }
    defer {
      BIO_free(bio)
      // The end of the text is an error to OpenSSL.
      ERR_clear_error()
    }
    var count = 0
    while let pointer = PEM_read_bio_X509(bio, nil, { _, _, _, _ in -1 }, nil) {
      body(count, Certificate(pointer: pointer))
      count += 1
    }
    return count
  }

  /// All of them, in order.
  package static func chain(pem: UnsafeRawBufferPointer) -> CertificateChain {
    let chain = CertificateChain()
    _ = forEach(pem: pem) { _, certificate in
      X509_up_ref(certificate.pointer)
      chain.pointers.append(certificate.pointer)
    }
    return chain
  }

  /// First and last moment of validity, Unix seconds; nil when the certificate has no readable date.
  package var validity: (from: Int64, until: Int64)? {
    guard let from = unixTime(X509_get0_notBefore(pointer)), let until = unixTime(X509_get0_notAfter(pointer)) else {
      return nil
    }
    return (from, until)
  }

  private func unixTime(_ time: UnsafePointer<ASN1_TIME>?) -> Int64? {
    var parts = tm()
    guard let time, ASN1_TIME_to_tm(time, &parts) == 1 else { return nil }
    return Int64(timegm(&parts))
  }

  package func isSame(as other: borrowing Certificate) -> Bool { X509_cmp(pointer, other.pointer) == 0 }

  /// DER, of all of it.
  package var der: [UInt8] { Self.bytes { i2d_X509(pointer, $0) } }

  /// DER of its public key (SubjectPublicKeyInfo).
  package var publicKeyDER: [UInt8] { Self.bytes { i2d_X509_PUBKEY(X509_get_X509_PUBKEY(pointer), $0) } }

  /// - Parameter write: says how many bytes there are; with a place it writes them there, and moves the place behind them.
  private static func bytes(
    _ write: (UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>?) -> Int32
  ) -> [UInt8] {
    let count = Int(write(nil))
    guard count > 0 else { return [] }
    return [UInt8](unsafeUninitializedCapacity: count) { buffer, written in
      var place = buffer.baseAddress
      written = max(0, Int(write(&place)))
    }
  }

  /// The organisation that has signed it, as it calls itself.
  package var issuerOrganization: String? {
    guard let name = X509_get_issuer_name(pointer) else { return nil }
    var buffer = [CChar](repeating: 0, count: 256)
    guard X509_NAME_get_text_by_NID(name, NID_organizationName, &buffer, Int32(buffer.count)) > 0 else { return nil }
    return printable(String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self))
  }

  /// As clients compare it (RFC 6125): wildcards count, the common name only when there are no DNS names.
  package func covers(_ hostName: String) -> Bool {
    hostName.withCString { X509_check_host(pointer, $0, strlen($0), 0, nil) } == 1
  }

  /// The DNS names; without any, the common name.
  var names: [String] {
    guard let found = X509_get_ext_d2i(pointer, NID_subject_alt_name, nil, nil) else { return commonName }
    let list = OpaquePointer(found)
    defer { GENERAL_NAMES_free(list) }
    let names = (0..<mb_general_names_count(list)).compactMap { index -> String? in
      var length: Int32 = 0
      guard let text = mb_general_names_dns(list, index, &length) else { return nil }
      return printable(String(decoding: UnsafeBufferPointer(start: text, count: Int(length)), as: UTF8.self))
    }
    return names.isEmpty ? commonName : names
  }

  private var commonName: [String] {
    guard let subject = X509_get_subject_name(pointer) else { return [] }
    var buffer = [CChar](repeating: 0, count: 256)
    guard X509_NAME_get_text_by_NID(subject, NID_commonName, &buffer, Int32(buffer.count)) > 0 else { return [] }
    return [printable(String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self))]
  }
}

/// Certificates as a server sends them: its own, then those above it.
package final class CertificateChain {
  fileprivate(set) var pointers: [OpaquePointer] = []

  init() {}

  package init(taking certificate: OpaquePointer) { pointers = [certificate] }

  deinit { for pointer in pointers { X509_free(pointer) } }

  package var count: Int { pointers.count }

  package func with<Result>(_ index: Int, _ body: (borrowing Certificate) -> Result) -> Result {
    X509_up_ref(pointers[index])
    return body(Certificate(pointer: pointers[index]))
  }

  /// Places of the first certificate and of those that signed it, as far up as they are there.
  var path: [Int] {
    guard !pointers.isEmpty else { return [] }
    var path = [0]
    while let last = path.last, !isSelfSigned(last) {
      let next = pointers.indices.first { !path.contains($0) && X509_check_issued(pointers[$0], pointers[last]) == 0 }
      guard let next else { break }
      path.append(next)
    }
    return path
  }

  /// Which of them is the key's.
  func place(of key: borrowing PrivateKey) -> Int? {
    defer { ERR_clear_error() }
    for index in pointers.indices {
      if let ours = X509_get0_pubkey(pointers[index]), EVP_PKEY_eq(ours, key.pointer) == 1 { return index }
    }
    return nil
  }

  func isSelfSigned(_ index: Int) -> Bool { X509_check_issued(pointers[index], pointers[index]) == 0 }

  /// Whether what signed it is among the certificates that this machine trusts.
  func hasTrustedIssuer(_ index: Int) -> Bool {
    guard let store = X509_STORE_new() else { return false }
    defer {
      X509_STORE_free(store)
      ERR_clear_error()
    }
    X509_STORE_set_default_paths(store)
    guard let context = X509_STORE_CTX_new() else { return false }
    defer { X509_STORE_CTX_free(context) }
    guard X509_STORE_CTX_init(context, store, pointers[index], nil) == 1 else { return false }
    var issuer: OpaquePointer?
    guard X509_STORE_CTX_get1_issuer(&issuer, context, pointers[index]) == 1 else { return false }
    X509_free(issuer)
    return true
  }

  /// Who signed it, as people call it.
  func issuer(of index: Int) -> String {
    guard let name = X509_get_issuer_name(pointers[index]) else { return "?" }
    for part in [NID_commonName, NID_organizationName] {
      var buffer = [CChar](repeating: 0, count: 256)
      if X509_NAME_get_text_by_NID(name, part, &buffer, Int32(buffer.count)) > 0 {
        return printable(String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self))
      }
    }
    return "?"
  }
}

/// The day of a point in time, UTC: "2026-11-22".
package func dayText(_ seconds: Int64) -> String {
  var moment = time_t(seconds)
  var parts = tm()
  guard gmtime_r(&moment, &parts) != nil else { return "\(seconds) s after 1970" }
  func padded(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
  return "\(parts.tm_year + 1900)-\(padded(parts.tm_mon + 1))-\(padded(parts.tm_mday))"
}
