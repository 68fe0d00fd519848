import MachineKit
import SceneSupport
import Testing

/// Certificates that clients would not take.
struct HostCertificateTests {
  private static let directory = "/etc/letsencrypt/live/mail.example.org"

  @Test func aMissingCertificateOrAnotherOnesKeyKeepsTheHostLocked() async throws {
    try await MailHosts.with(.debian12) { host in
      let directory = Self.directory
      let settings = Settings.toml(checks: ["certificate"], warnings: ["certificate-expiry", "certificate-names"])
      try await host.guest.succeed(
        "umask 077; openssl ecparam -genkey -name prime256v1 -noout -out \(directory)/privkey.pem")
      let other = try await host.unlock(configuration: settings)
      other.expectFailure(
        13,
        error: "\"certificate\" failed: \(directory)/privkey.pem is not the key of \(directory)/fullchain.pem",
        hint: "mailboot verify")
      try await host.guest.succeed("rm \(directory)/fullchain.pem")
      let missing = try await host.unlock()
      missing.expectFailure(
        13, error: "the check \"certificate\" failed: \(directory)/fullchain.pem is missing", hint: "mailboot verify")
    }
  }

  @Test func anExpiredCertificateWarnsUnlessItIsRequired() async throws {
    try await MailHosts.with(.debian12) { host in
      // A native host shares its clock: the certificate is made anew, with the same key and a validity that is over.
      try await host.guest.succeed(
        """
        set -e
        cd $(mktemp -d)
        : >index; echo 01 >serial
        printf '%s\\n' '[ca]' default_ca=d '[d]' database=index serial=serial policy=p x509_extensions=x \
          '[p]' commonName=supplied '[x]' subjectAltName=DNS:mail.example.org >settings
        openssl req -new -key \(Self.directory)/privkey.pem -subj /CN=mail.example.org -out request
        openssl ca -batch -selfsign -keyfile \(Self.directory)/privkey.pem -in request -config settings -md sha256 -outdir . -notext \
          -startdate 20250101000000Z -enddate 20250401000000Z -out \(Self.directory)/fullchain.pem
        """)
      let required = try await host.unlock(
        configuration: Settings.toml(checks: ["certificate", "certificate-expiry"]))
      required.expectFailure(13, error: "the check \"certificate-expiry\" failed: expired on ", hint: "certbot renew")
      let warned = try await host.unlock(
        configuration: Settings.toml(checks: ["certificate"], warnings: ["certificate-expiry"]))
      warned.expectSuccess("with 1 warning")
      #expect(warned.stderr.contains(#/ +warn +check certificate-expiry .*expired on /#), "\(warned.stderr)")
      let status = try await host.attempt("mailboot status")
      #expect(status.status == 0, "a warning is not degraded: \(status.stdout)")
      #expect(status.stdout.contains("warn  certificate-expiry: expired on "))
    }
  }

  @Test func aCertificateForAnotherNameWarnsUnlessItIsRequired() async throws {
    try await MailHosts.with(.debian12) { host in
      let verify = "host-name = \"imap.example.org\""
      let required = try await host.unlock(configuration: Settings.toml(checks: ["certificate-names"], verify: verify))
      required.expectFailure(
        13, error: "the check \"certificate-names\" failed: does not cover imap.example.org, only mail.example.org",
        hint: "get one for it")
      let warned = try await host.unlock(
        "--no-start", configuration: Settings.toml(warnings: ["certificate-names"], verify: verify))
      warned.expectSuccess("mounted and verified, with 1 warning")
    }
  }
}
