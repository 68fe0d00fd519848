import CLinux
import COpenSSL
import Glibc

/// An X.509 certificate.
struct Certificate: ~Copyable {
  private let pointer: OpaquePointer

  private init(pointer: OpaquePointer) {
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

  func hasPublicKey(of key: borrowing PrivateKey) -> Bool {
    guard let ours = X509_get0_pubkey(pointer) else { return false }
    defer { ERR_clear_error() }
    return EVP_PKEY_eq(ours, key.pointer) == 1
  }

  /// First and last moment of validity, Unix seconds; nil when the certificate has no readable date.
  var validity: (from: Int64, until: Int64)? {
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

  /// As clients compare it (RFC 6125): wildcards count, the common name only when there are no DNS names.
  func covers(_ hostName: String) -> Bool {
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

/// The day of a point in time, UTC: "2026-11-22".
func dayText(_ seconds: Int64) -> String {
  var moment = time_t(seconds)
  var parts = tm()
  guard gmtime_r(&moment, &parts) != nil else { return "\(seconds) s after 1970" }
  func padded(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
  return "\(parts.tm_year + 1900)-\(padded(parts.tm_mon + 1))-\(padded(parts.tm_mday))"
}
