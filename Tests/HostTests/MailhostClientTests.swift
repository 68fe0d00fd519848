import Foundation
import MachineKit
import SceneSupport
import Testing

/// What mail programs and other mail servers are told, as programs of others take it.
@Suite(.serialized)
struct MailhostClientTests {
  @Test(arguments: Release.both)
  func programsOfOthersFindThisHost(_ release: Release) async throws {
    let client = try DeltaChat.find()
    try await MailhostScene.made(release, withRepository: true) { scene in
      try await scene.own(
        """
        [web]
        root = "/var/www/mailhost"
        mobileconfig_certificate = "/etc/letsencrypt/live/mail.example.org/fullchain.pem"
        mobileconfig_key = "/etc/letsencrypt/live/mail.example.org/privkey.pem"
        """)
      try await installWebServers(scene, release)
      try await scene.succeed(
        "mkdir -p /var/www/mailhost && printf secret-carol | mailcfg adduser carol@example.net --stdin && mailhost web --show none"
      )
      try await serve(scene)
      let link = try await expectProfile(scene)
      try await NameServers.beside(scene) { names in
        try await names.start(records: zones(scene), signed: ["example.org"])
        try await scene.succeed("echo nameserver \(NameServers.resolver) >/etc/resolv.conf")
        let authority = try await scene.host.get("/root/ca.pem")
        try await names.host.put("/root/ca.pem", authority)
        try await expectServed(names, link)
        try await expectPolicy(names)
        try await expectDANE(scene, names)
        try await client.expectChat(scene, names)
      }
    }
  }

  // MARK: The web server

  private func installWebServers(_ scene: MailhostScene, _ release: Release) async throws {
    try await scene.succeed(
      """
      set -e
      echo 'deb [trusted=yes] file:/usr/local/share/mailboot-machine/repository-\(release.rawValue) ./' >/etc/apt/sources.list.d/machine.list
      printf '#!/bin/sh\\nexit 101\\n' >/usr/sbin/policy-rc.d; chmod 755 /usr/sbin/policy-rc.d
      apt-get -qq update
      DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install nginx apache2 >/root/install.log 2>&1 ||
        { cat /root/install.log; exit 1; }
      """, timeout: .seconds(300))
  }

  /// Has nginx serve by the lines that are printed, with certificates for the names that certbot is to get them for; apache reads its own.
  private func serve(_ scene: MailhostScene) async throws {
    try await scene.succeed(
      """
      set -e
      cd /root
      openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -days 91 -subj '/CN=CA of the scene' \\
        -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign -keyout ca.key -out ca.pem 2>/dev/null
      mailhost web --show nginx >/etc/nginx/conf.d/mailhost.conf
      mailhost web --show apache >/etc/apache2/sites-available/mailhost.conf
      sed -n 's/^# certbot certonly -d //p' /etc/nginx/conf.d/mailhost.conf >names
      sed -n 's/^# certbot certonly -d //p' /etc/apache2/sites-available/mailhost.conf | cmp - names
      while read -r line; do
        live=/etc/letsencrypt/live/${line%% *}
        mkdir -p $live
        openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -subj "/CN=${line%% *}" -keyout $live/privkey.pem -out leaf.csr 2>/dev/null
        openssl x509 -req -in leaf.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 90 -out leaf.pem -extfile <(
          echo "subjectAltName=DNS:${line// -d /,DNS:}"
          echo extendedKeyUsage=serverAuth
          echo basicConstraints=critical,CA:FALSE
          echo keyUsage=critical,digitalSignature
          echo authorityKeyIdentifier=keyid) 2>/dev/null
        cat leaf.pem ca.pem >$live/fullchain.pem
      done <names
      nginx -t 2>nginx.log || { cat nginx.log; exit 1; }
      ! grep -i warn nginx.log
      systemctl start nginx
      a2enmod -q ssl >/dev/null
      a2ensite -q mailhost >/dev/null
      apachectl configtest 2>apache.log || { cat apache.log; exit 1; }
      grep -q 'Syntax OK' apache.log
      """)
  }

  /// - Returns: the link to Alice's profile.
  private func expectProfile(_ scene: MailhostScene) async throws -> String {
    let read = try await scene.succeed(
      """
      set -e
      cd /root
      mailhost client alice@example.org --format mobileconfig --output signed.mobileconfig 2>/dev/null
      openssl smime -verify -inform der -in signed.mobileconfig -CAfile /usr/local/share/mailboot-machine/ca.pem -purpose any \\
        -out alice.mobileconfig 2>verified || { cat verified; exit 1; }
      python3 -c '
      import plistlib
      with open("alice.mobileconfig", "rb") as file:
          mail = plistlib.load(file)["PayloadContent"][0]
      print(mail["EmailAddress"], mail["IncomingMailServerHostName"], mail["OutgoingMailServerPortNumber"])'
      """)
    #expect(read == "alice@example.org mail.example.org 465\n")
    try await scene.succeed("mailhost client alice@example.org --publish --format json >/root/alice.json")
    return try await scene.succeed("grep -o 'https://[^\"]*mobileconfig' /root/alice.json | head -n 1")
      .trimmingCharacters(
        in: .newlines)
  }

  // MARK: The world

  /// With the records as they are printed, and a TLSA record by openssl.
  private func zones(_ scene: MailhostScene) async throws -> [String: String] {
    let printed = try await scene.succeed("mailhost web --show dns").split(separator: "\n")
    let key = try await scene.succeed(
      """
      openssl x509 -in /etc/letsencrypt/live/mail.example.org/fullchain.pem -pubkey -noout |
        openssl pkey -pubin -outform der | sha256sum | cut -d ' ' -f 1
      """)
    func lines(_ domain: String) -> String {
      printed.filter { $0.contains(".\(domain). IN ") }.joined(separator: "\n") + "\n"
    }
    return [
      "example.org": NameServers.addresses + lines("example.org") + "_25._tcp.mail TLSA 3 1 1 \(key)",
      "example.net": lines("example.net") + "@ MX 10 mail.example.org.",
    ]
  }

  private func expectServed(_ names: NameServers, _ link: String) async throws {
    try await names.host.put(
      "/root/fetch.py",
      Data(
        """
        import ssl, sys, urllib.request
        context = ssl.create_default_context(cafile="/root/ca.pem")
        for url in sys.argv[1:]:
            answer = urllib.request.urlopen(url, context=context)
            print(answer.status, answer.headers["Content-Type"], len(answer.read()) > 50)

        """.utf8))
    let said = try await names.host.succeed(
      """
      python3 /root/fetch.py https://autoconfig.mail.example.org/mail/config-v1.1.xml \\
        https://autoconfig.example.net/mail/config-v1.1.xml https://mta-sts.example.net/.well-known/mta-sts.txt '\(link)'
      """)
    #expect(
      said == """
        200 text/xml True
        200 text/xml True
        200 text/plain True
        200 application/x-apple-aspen-config True

        """)
  }

  private func expectPolicy(_ names: NameServers) async throws {
    for domain in ["example.org", "example.net"] {
      let said = try await names.host.run("SSL_CERT_FILE=/root/ca.pem mta-sts-query \(domain) 2>&1")
      #expect(said.stdout.contains("'mode': 'testing'") && said.stdout.contains("mail.example.org"), "\(said.stdout)")
    }
  }

  private func expectDANE(_ scene: MailhostScene, _ names: NameServers) async throws {
    let finger = "posttls-finger -c -l dane -L summary example.org 2>&1"
    let said = try await scene.run(finger)
    #expect(
      said.stdout.contains("Verified TLS connection established to mail.example.org[192.0.2.1]:25"), "\(said.stdout)")
    // Another certificate's record: the same program says so.
    let server = "knotc -s /run/primary/knot.sock"
    try await names.host.succeed(
      """
      set -e
      \(server) zone-begin example.org
      \(server) zone-unset example.org _25._tcp.mail.example.org. TLSA
      \(server) zone-set example.org _25._tcp.mail.example.org. 10 TLSA '3 1 1 \(String(repeating: "0", count: 64))'
      \(server) zone-commit example.org
      for i in {1..150}; do kdig +short @\(NameServers.resolver) TLSA _25._tcp.mail.example.org | grep -q 00000000 && exit 0; sleep 0.1; done
      exit 1
      """)
    let wrong = try await scene.run(finger)
    #expect(!wrong.stdout.contains("Verified TLS"), "\(wrong.stdout)")
  }
}
