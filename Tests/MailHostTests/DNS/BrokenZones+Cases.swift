import Foundation

private func without(_ start: String) -> @Sendable (String) -> String? {
  { $0.hasPrefix(start) ? nil : $0 }
}

private func replacing(_ start: String, _ old: String, _ new: String) -> @Sendable (String) -> String? {
  { $0.hasPrefix(start) ? $0.replacingOccurrences(of: old, with: new) : $0 }
}

/// The text of the SPF record of the domain.
private func spf(_ text: String) -> @Sendable (String) -> String? {
  { $0.hasPrefix("@. ") && $0.contains("\"v=spf1") ? "@. 60 IN TXT \(text)" : $0 }
}

extension BrokenZone {
  private static let key = "202601._domainkey.@."

  static let all: [BrokenZone] = [
    BrokenZone("as it is to be", []),
    // Where mail goes.
    BrokenZone("no MX", ["mx missing"], change: { $0.contains(" MX ") ? nil : $0 }),
    BrokenZone(
      "MX elsewhere", ["mx wrong"], change: { $0.replacingOccurrences(of: "MX 10 mail.@.", with: "MX 10 ok.zz.") }),
    BrokenZone("MX of an old host first", ["mx wrong"], added: ["@. 60 IN MX 5 ok.zz."]),
    BrokenZone("MX shared", ["mx wrong"], added: ["@. 60 IN MX 10 ok.zz."]),
    BrokenZone("MX with a spare", [], added: ["@. 60 IN MX 20 ok.zz."]),
    BrokenZone("null MX", ["mx wrong"], change: { $0.replacingOccurrences(of: "MX 10 mail.@.", with: "MX 0 .") }),
    // Who it is.
    BrokenZone(
      "no address", ["a missing", "reverse wrong", "spf wrong", "greeting wrong"],
      change: { $0.contains(" IN A 192") ? nil : $0 }),
    BrokenZone(
      "address of an old host", ["a wrong", "reverse wrong", "spf wrong", "greeting wrong"],
      change: { $0.contains(" IN A 192") ? "mail.@. 60 IN A 203.0.113.9" : $0 }),
    BrokenZone("address of the old host as well", ["a wrong"], added: ["mail.@. 60 IN A 203.0.113.9"]),
    BrokenZone(
      "private address", ["a wrong", "reverse wrong", "spf wrong", "greeting wrong"],
      change: { $0.contains(" IN A 192") ? "mail.@. 60 IN A 192.168.1.5" : $0 }),
    BrokenZone("foreign IPv6", ["aaaa wrong"], added: ["mail.@. 60 IN AAAA 2001:db8:ffff::1"]),
    BrokenZone(
      "an alias", ["alias wrong", "greeting missing"],
      added: ["mail.@. 60 IN CNAME box.@.", "box.@. 60 IN A {A}", "box.@. 60 IN AAAA {AAAA}"],
      change: { $0.hasPrefix("mail.@.") ? nil : $0 }),
    BrokenZone("no name of the address", ["reverse missing"], reverse: []),
    BrokenZone("the provider's name of the address", ["reverse wrong"], reverse: ["192-0-2-1.dsl.zz."]),
    BrokenZone("another name that leads back", ["reverse wrong"], added: ["box.@. 60 IN A {A}"], reverse: ["box.@."]),
    BrokenZone(
      "MX by another name of this host", [], added: ["mx.@. 60 IN A {A}"],
      change: { $0.replacingOccurrences(of: "MX 10 mail.@.", with: "MX 10 mx.@.") }),
    BrokenZone("two names of the address", [], reverse: ["mail.@.", "www.zz."]),
    // Who may send.
    BrokenZone("two SPF records", ["spf wrong"], added: ["@. 60 IN TXT \"v=spf1 -all\""]),
    BrokenZone("no SPF", ["spf missing"], change: { $0.hasPrefix("@. ") && $0.contains("spf1") ? nil : $0 }),
    BrokenZone("SPF of somebody else", ["spf wrong"], change: spf("\"v=spf1 include:_spf.zz -all\"")),
    BrokenZone("SPF of IPv4 only", ["spf wrong"], change: spf("\"v=spf1 ip4:{A} -all\"")),
    BrokenZone("SPF for all", ["spf wrong"], change: spf("\"v=spf1 mx +all\"")),
    BrokenZone("SPF misspelt", ["spf wrong"], change: spf("\"v=spf1 mx ipv4:192.0.2.1 ~all\"")),
    BrokenZone(
      "SPF with too much in it", ["spf wrong"], change: spf("\"v=spf1 include:_many.zz include:_many.zz mx ~all\"")),
    BrokenZone("SPF with a dead include", ["spf wrong"], change: spf("\"v=spf1 include:gone.zz mx ~all\"")),
    BrokenZone("SPF with dead names", ["spf wrong"], change: spf("\"v=spf1 a:g1.zz a:g2.zz a:g3.zz mx ~all\"")),
    BrokenZone("SPF by a redirect to nothing", ["spf wrong"], change: spf("\"v=spf1 redirect=gone.zz\"")),
    BrokenZone("SPF that says it otherwise", [], change: spf("\"v=spf1 ip4:{A}/28 a:mail.@ -all\"")),
    BrokenZone(
      "SPF by a redirect", [], added: ["_s.@. 60 IN TXT \"v=spf1 a:mail.@ -all\""],
      change: spf("\"v=spf1 redirect=_s.@\"")),
    BrokenZone("SPF in pieces", [], change: spf("\"v=spf1 m\" \"x ~al\" \"l\"")),
    // Signatures.
    BrokenZone("no key", ["dkim missing"], change: without(key)),
    BrokenZone("another key", ["dkim wrong"], change: replacing(key, "p=MIIB", "p=MIIC")),
    BrokenZone(
      "key cut at 255", ["dkim wrong"],
      change: { $0.hasPrefix(key) ? $0.components(separatedBy: "\" \"")[0] + "\"" : $0 }),
    BrokenZone("key with escaped semicolons", ["dkim wrong"], change: replacing(key, "; ", "\\\\; ")),
    BrokenZone("key revoked", ["dkim wrong"], change: { $0.hasPrefix(key) ? "\(key) 60 IN TXT \"v=DKIM1; p=\"" : $0 }),
    BrokenZone("two keys", ["dkim wrong"], added: ["\(key) 60 IN TXT \"v=DKIM1; p=AAAA\""]),
    BrokenZone("key in quotes of a web form", ["dkim wrong"], change: replacing(key, "\"v=DKIM1", "\"\\\"v=DKIM1")),
    BrokenZone(
      "the form has added the domain", ["dmarc missing"], change: replacing("_dmarc.@.", "_dmarc.@.", "_dmarc.@.@.")),
    BrokenZone("no DMARC", ["dmarc missing"], change: without("_dmarc.@.")),
    BrokenZone("two DMARC records", ["dmarc wrong"], added: ["_dmarc.@. 60 IN TXT \"v=DMARC1; p=none\""]),
    BrokenZone("DMARC without a policy", ["dmarc wrong"], change: replacing("_dmarc.@.", "p=quarantine; ", "")),
    BrokenZone("DMARC misspelt", ["dmarc wrong"], change: replacing("_dmarc.@.", "p=quarantine", "p=quarantaine")),
    BrokenZone("DMARC in lower case", ["dmarc wrong"], change: replacing("_dmarc.@.", "v=DMARC1", "v=dmarc1")),
    BrokenZone("DMARC stronger", [], change: replacing("_dmarc.@.", "p=quarantine", "p=reject; sp=reject; adkim=s")),
    BrokenZone("DMARC weaker", [], change: replacing("_dmarc.@.", "p=quarantine", "p=none")),
    BrokenZone("DMARC reports to a stranger", [], change: replacing("_dmarc.@.", "postmaster@@", "reports@ok.zz")),
    // Mail programs.
    BrokenZone("SRV of an old host", ["srv wrong"], change: replacing("_imaps._tcp", "mail.@.", "ok.zz.")),
    BrokenZone("SRV with another port", ["srv wrong"], change: replacing("_submissions._tcp", " 465 ", " 587 ")),
    BrokenZone(
      "SRV of what is not offered", ["srv wrong"], change: replacing("_pop3s._tcp", "0 0 0 .", "0 1 995 mail.@.")),
    BrokenZone("no autoconfig", ["autoconfig missing"], change: without("autoconfig.@.")),
    BrokenZone("no SRV", [], change: { $0.contains(" SRV ") ? nil : $0 }),
    // Encryption.
    BrokenZone("MTA-STS without a policy", ["mta-sts wrong"], policy: nil),
    BrokenZone("MTA-STS of an old policy", ["mta-sts wrong"], change: replacing("_mta-sts.@.", "id=", "id=0")),
    BrokenZone(
      "MTA-STS for another host", ["mta-sts wrong"],
      policy: soundPolicy.replacingOccurrences(of: "mail.@", with: "ok.zz")),
    BrokenZone(
      "MTA-STS for all hosts of the domain", [], policy: soundPolicy.replacingOccurrences(of: "mail.@", with: "*.@")),
    BrokenZone("MTA-STS: a page of the web server", ["mta-sts wrong"], policy: "<html>404</html>"),
    BrokenZone("no MTA-STS", ["mta-sts missing"], change: without("_mta-sts.@.")),
    BrokenZone("TLS-RPT without an address", ["tls-rpt wrong"], change: replacing("_smtp._tls.@.", "rua=", "ruf=")),
    BrokenZone("CAA of another", ["caa wrong"], change: replacing("mail.@. 3600 IN CAA", "letsencrypt.org", "ca.zz")),
    BrokenZone(
      "CAA of the domain", ["caa wrong"], added: ["@. 60 IN CAA 0 issue \"ca.zz\""],
      change: { $0.contains(" CAA ") ? nil : $0 }),
    BrokenZone("CAA for nobody", ["caa wrong"], change: replacing("mail.@. 3600 IN CAA", "letsencrypt.org", ";")),
    BrokenZone("no CAA", [], change: { $0.contains(" CAA ") ? nil : $0 }),
    BrokenZone(
      "TLSA of an old key", ["tlsa wrong"],
      added: ["_25._tcp.mail.@. 60 IN TLSA 3 1 1 \(String(repeating: "ab", count: 32))"]),
    // Lists.
    BrokenZone("listed", ["listed wrong"], listed: ["127.0.0.2"]),
    BrokenZone("listed as one that should not send", ["listed wrong"], listed: ["127.0.0.10", "127.0.0.11"]),
    BrokenZone("the resolver is blocked", ["listed unknown"], listed: ["127.255.255.254"]),
    BrokenZone("the resolver invents answers", ["listed unknown"], listed: ["203.0.113.80"]),
    // Servers.
    BrokenZone("the second server lags", ["mx not everywhere yet"], second: { $0.filter { !$0.contains(" MX ") } }),
    BrokenZone(
      "the second server lies about the key", ["dkim not everywhere yet"],
      second: { $0.map { $0.replacingOccurrences(of: "p=MIIB", with: "p=MIIC") } }),
    BrokenZone("the second server does not have the zone", [], second: { _ in [] }),
    BrokenZone(
      "the second server is not there", ["servers wrong"], change: replacing("ns2.@.", "198.51.100.2", "198.51.100.9")),
    BrokenZone("the second server has no address", [], change: without("ns2.@.")),
    // Names from which no mail comes.
    BrokenZone("a silent name that says nothing", ["silence missing"], change: without("www.@.")),
    BrokenZone(
      "a silent name that lets others send", ["silence wrong"],
      change: replacing("www.@.", "v=spf1 -all", "v=spf1 mx -all")),
  ]
}
