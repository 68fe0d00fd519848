/// What the scripts of Debian's packages change in files of ours when they are installed or upgraded.
enum PackageEdits {
  /// postfix 3.10's postinst, coming from before 3.9, sets the first and comments the two others out; postfix-doc sets and unsets them.
  private static let main: [String: Set<String?>] = [
    "cyrus_sasl_config_path": ["/etc/postfix/sasl"],
    "html_directory": ["/usr/share/doc/postfix/html", "no", nil],
    "readme_directory": ["/usr/share/doc/postfix", "no", nil],
  ]

  /// postfix 3.7's postinst adds these where they are missing.
  private static let master = MasterCF(
    """
    flush     unix  n       -       y       1000?   0       flush
    proxymap  unix  -       -       n       -       -       proxymap
    trace     unix  -       -       y       -       0       bounce
    verify    unix  -       -       y       -       1       verify
    tlsmgr    unix  -       -       y       1000?   1       tlsmgr
    anvil     unix  -       -       y       -       1       anvil
    scache    unix  -       -       y       -       1       scache
    discard   unix  -       -       y       -       -       discard
    retry     unix  -       -       y       -       -       error
    relay     unix  -       -       n       -       -       smtp -o smtp_fallback_relay=
    """)

  static func isKnown(_ change: MainCF.Change) -> Bool { main[change.name]?.contains(change.new) ?? false }

  static func isKnown(added service: MasterCF.Service) -> Bool { master.services[service.key] == service }

  /// Whether all that has changed is known to come from a package's script.
  static func explain(_ syntax: HostFile.Syntax, from old: String, to new: String) -> Bool {
    switch syntax {
    case .postfixMain:
      let (before, after) = (MainCF(old), MainCF(new))
      return before.unreadable == after.unreadable && before.changes(to: after).allSatisfy(isKnown)
    case .postfixMaster:
      let (before, after) = (MasterCF(old), MasterCF(new))
      return before.unreadable == after.unreadable
        && Set(before.services.keys).union(after.services.keys).allSatisfy { key in
          guard before.services[key] != after.services[key] else { return true }
          return before.services[key] == nil && after.services[key].map(isKnown(added:)) == true
        }
    default: return false
    }
  }
}
