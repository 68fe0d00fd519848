import Linux
import MailHost

/// Signs profiles for Apple's programs, which then show whose they are (CMS, DER, with the profile in it). By openssl, which the package
/// ca-certificates brings.
struct ProfileSigner {
  private let certificate: String
  private let key: String

  /// nil: the settings have nothing to sign with.
  init?(_ settings: HostSettings, _ root: HostRoot) {
    guard let certificate = settings.web.profileCertificate, let key = settings.web.profileKey else { return nil }
    self.certificate = root.path(certificate)
    self.key = root.path(key)
  }

  func signed(_ text: String) throws(HostFailure) -> [UInt8] {
    try succeed(
      [
        "/usr/bin/openssl", "cms", "-sign", "-binary", "-nodetach", "-outform", "DER", "-signer", certificate, "-inkey",
        // With its chain, in which it is the first itself: openssl would put it in twice, and fails at that.
        key, "-certfile", certificate, "-nocerts",
      ], input: Array(text.utf8),
      hint: "mobileconfig_certificate and mobileconfig_key in [web] name the certificate with its chain, and its key"
    ).bytes
  }

  /// Whether this is such a signature of that text, with our certificate. Its bytes are others each time: they hold the time.
  func isSignature(_ bytes: [UInt8], of text: String) throws(HostFailure) -> Bool {
    let said = try run(
      [
        "/usr/bin/openssl", "cms", "-verify", "-binary", "-inform", "DER", "-noverify", "-nointern", "-certfile",
        certificate,
      ], input: bytes)
    return said.status == 0 && said.bytes == Array(text.utf8)
  }
}
