import Foundation
import MachineKit

/// Two programs that know nothing of each other look at each signature of the mails that came to ``NameServers``.
struct MailVerifiers {
  let host: NativeHost

  /// What one of them says of one signature.
  struct Verdict: Sendable {
    var mail: Int
    var verifier: String
    /// `rsa-sha256`, `ed25519-sha256`; `none` where there is no signature.
    var algorithm: String
    /// `pass`, or what is wrong.
    var result: String
    var isGood: Bool { result == "pass" }
  }

  private static let units = ["verify-dkimpy", "verify-mail-dkim"]

  static func put(on host: NativeHost) async throws {
    try await host.put("/usr/local/bin/verify-dkimpy", Data(dkimpy.utf8), mode: 0o755)
    try await host.put("/usr/local/bin/verify-mail-dkim", Data(mailDKIM.utf8), mode: 0o755)
  }

  /// Has each mail be looked at as it comes.
  func follow() async throws {
    for unit in Self.units {
      try await host.succeed("systemd-run --quiet --unit \(unit) -p StandardOutput=file:/root/\(unit) \(unit)")
    }
  }

  /// What was said so far.
  /// - Throws: when one of them has ended meanwhile.
  func followed() async throws -> [Verdict] {
    try await host.succeed("systemctl is-active \(Self.units.joined(separator: " "))")
    return verdicts(try await host.succeed("cat \(Self.units.map { "/root/" + $0 }.joined(separator: " "))"))
  }

  /// Looks at all mails once more, with what the DNS says now.
  func again() async throws -> [Verdict] {
    verdicts(
      try await host.succeed(
        Self.units.map { "\($0) /root/received/[0-9][0-9][0-9][0-9][0-9]" }.joined(separator: " && "),
        timeout: .seconds(120)))
  }

  private func verdicts(_ text: String) -> [Verdict] {
    text.split(separator: "\n").compactMap { line in
      let words = line.split(separator: " ", maxSplits: 3).map(String.init)
      guard words.count == 4, let mail = Int(words[0]) else { return nil }
      return Verdict(mail: mail, verifier: words[1], algorithm: words[2], result: words[3])
    }
  }

  private static let dkimpy = """
    #!/usr/bin/python3
    import os, sys, time
    import dkim

    def look(path):
        with open(path, "rb") as file:
            mail = file.read()
        count = sum(name.lower() == b"dkim-signature" for name, _ in dkim.DKIM(mail).headers)
        found = [] if count else [("none", "unsigned")]
        for index in range(count):
            verifier = dkim.DKIM(mail)
            try:
                result = "pass" if verifier.verify(idx=index) else "the signature does not fit"
            except Exception as error:
                result = "%s: %s" % (type(error).__name__, error)
            found.append((verifier.signature_fields.get(b"a", b"?").decode(), result))
        for algorithm, result in found:
            print(os.path.basename(path), "dkimpy", algorithm, result.replace(chr(10), " "), flush=True)

    for path in sys.argv[1:]:
        look(path)
    number = 0
    while len(sys.argv) == 1:
        path = "/root/received/%05d" % number
        if os.path.exists(path):
            look(path)
            number += 1
        else:
            time.sleep(0.1)

    """

  private static let mailDKIM = """
    #!/usr/bin/perl
    use strict;
    use warnings;
    use Mail::DKIM::Verifier;
    $| = 1;

    sub look {
      my ($path) = @_;
      my $verifier = Mail::DKIM::Verifier->new;
      open my $file, "<", $path or die "$path: $!";
      while (<$file>) { s/\\r?\\n$/\\r\\n/; $verifier->PRINT($_) }
      $verifier->CLOSE;
      my $name = $path =~ s{.*/}{}r;
      print "$name Mail::DKIM none unsigned\\n" unless $verifier->signatures;
      for ($verifier->signatures) {
        my $result = $_->result eq "pass" ? "pass" : $_->result_detail;
        printf "%s Mail::DKIM %s %s\\n", $name, $_->algorithm, $result =~ s/\\s+/ /gr;
      }
    }

    look($_) for @ARGV;
    my $number = 0;
    until (@ARGV) {
      my $path = sprintf "/root/received/%05d", $number;
      if (-e $path) { look($path); $number++ } else { select undef, undef, undef, 0.1 }
    }

    """
}
