import MailbootCore

/// What postfix's own configuration says, read once per run through postconf(1).
struct PostfixSettings: Equatable {
  private var values: [String: String] = [:]

  /// The maps that stand between a mail and its recipient, and between an account and its sender addresses.
  static let mapParameters = [
    "virtual_mailbox_domains", "virtual_mailbox_maps", "virtual_alias_maps", "smtpd_sender_login_maps",
  ]

  static let arguments =
    [
      "/usr/sbin/postconf", "-x", "smtpd_tls_cert_file", "smtpd_tls_key_file", "smtpd_tls_eccert_file",
      "smtpd_tls_eckey_file", "smtpd_tls_chain_files", "myhostname", "queue_directory",
    ] + mapParameters

  init(parsing output: String) {
    for line in output.split(separator: "\n") {
      guard let equals = line.firstIndex(of: "=") else { continue }
      let name = line[..<equals].filter { $0 != " " }
      values[name] = String(line[line.index(after: equals)...].drop { $0 == " " })
    }
  }

  /// There is no postfix.
  var isEmpty: Bool { values.isEmpty }

  /// Nil when it is empty.
  subscript(_ name: String) -> String? { values[name].flatMap { $0.isEmpty ? nil : $0 } }

  /// The lookup tables that can be asked with `postmap -q`, by what they are for.
  var chains: [LookupChain] {
    Self.mapParameters.map { LookupChain(parameter: $0, value: values[$0] ?? "") }.filter { !$0.tables.isEmpty }
  }

  /// Keys and certificates in one list; where it is set, postfix reads no others.
  var chainFiles: [String] { LookupChain.words(values["smtpd_tls_chain_files"] ?? "") }

  /// Certificates with their keys. Postfix takes an empty key file for "in the certificate's file".
  var certificates: [CertificateRequest.Pair] {
    [("smtpd_tls_cert_file", "smtpd_tls_key_file"), ("smtpd_tls_eccert_file", "smtpd_tls_eckey_file")].compactMap {
      guard let file = self[$0.0], file != "none" else { return nil }
      return CertificateRequest.Pair(certificate: file, key: self[$0.1] ?? file)
    }
  }
}
