import MailbootCore

/// What postfix's own configuration says, read once per run through postconf(1).
struct PostfixSettings: Equatable {
  private var values: [String: String] = [:]

  /// The maps that stand between a mail and its recipient, and between an account and its sender addresses.
  static let mapParameters = [
    "virtual_mailbox_domains", "virtual_mailbox_maps", "virtual_alias_maps", "smtpd_sender_login_maps",
  ]

  static let arguments =
    ["/usr/sbin/postconf", "-x", "smtpd_tls_cert_file", "smtpd_tls_key_file", "myhostname", "queue_directory"]
    + mapParameters

  init(parsing output: String) {
    for line in output.split(separator: "\n") {
      guard let equals = line.firstIndex(of: "=") else { continue }
      let name = line[..<equals].filter { $0 != " " }
      values[name] = String(line[line.index(after: equals)...].drop { $0 == " " })
    }
  }

  /// Nil when it is empty.
  subscript(_ name: String) -> String? { values[name].flatMap { $0.isEmpty ? nil : $0 } }

  /// The lookup tables that can be asked with `postmap -q`, each with what it is for; tables that are in the configuration itself or
  /// in the system's own files are left out.
  var maps: [(table: String, parameter: String)] {
    var found: [(table: String, parameter: String)] = []
    for parameter in Self.mapParameters {
      for word in (values[parameter] ?? "").split(whereSeparator: { $0 == " " || $0 == "," || $0 == "\t" }) {
        var table = String(word)
        while table.hasPrefix("proxy:") { table.removeFirst("proxy:".count) }
        guard let colon = table.firstIndex(of: ":"), table[table.index(after: colon)...].hasPrefix("/") else {
          continue
        }
        if !found.contains(where: { $0.table == table && $0.parameter == parameter }) {
          found.append((table, parameter))
        }
      }
    }
    return found
  }
}
