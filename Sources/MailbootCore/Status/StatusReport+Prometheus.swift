import Text

extension StatusReport {
  /// The metrics in Prometheus' text format (version 0.0.4), each with its HELP and TYPE; what does not apply is left out.
  ///
  /// - Parameter version: that of the program, for `mailboot_build_info`.
  /// - SeeAlso: https://prometheus.io/docs/instrumenting/exposition_formats/
  public func prometheus(version: String) -> String {
    metricFamilies(version: version).map(\.text).joined()
  }

  private func metricFamilies(version: String) -> [MetricFamily] {
    [
      MetricFamily(
        "mailboot_state", .gauge, "Whether the mail host is in this state.",
        BootState.allCases.map { ("state", $0.rawValue, $0 == state ? 1 : 0) }),
      MetricFamily(
        "mailboot_vault_open", .gauge, "Whether the vault is open and mounted.",
        state == .unknown ? [] : ([vault] + otherVaults).map { ("vault", $0.name, $0.mounted ? 1 : 0) }),
      MetricFamily(
        "mailboot_service_ready", .gauge, "Whether the service's units are active and its last probe answered.",
        // Without a bus nobody knows.
        state == .unknown ? [] : services.map { ("service", $0.name, $0.ready ? 1 : 0) }),
      MetricFamily(
        "mailboot_check_failed", .gauge,
        "Whether the check's last run found something wrong, be it required or only warned about.",
        checks.filter { $0.result != .skip }.map { ("check", $0.name.rawValue, $0.result == .pass ? 0 : 1) }),
      MetricFamily(
        "mailboot_state_since_timestamp_seconds", .gauge, "When the present state began, in seconds since 1970.", since),
      MetricFamily(
        "mailboot_unlock_attempts_total", .counter, "Passphrases tried since the machine booted.",
        [("result", "accepted", Double(attempts.accepted)), ("result", "refused", Double(attempts.refused))]),
      MetricFamily(
        "mailboot_last_unlock_timestamp_seconds", .gauge,
        "When the last unlock run of this boot ended, in seconds since 1970.", lastUnlock?.at),
      MetricFamily(
        "mailboot_unlock_step_seconds", .gauge, "How long each step of the last unlock run took.",
        (lastUnlock?.steps ?? []).map { ("step", $0.name, $0.seconds) }),
      MetricFamily(
        "mailhost_test_failed", .gauge, "Whether this part of the last `mailhost test` failed.",
        (hostTest?.tests ?? []).filter { $0.result != .skip }.map { ("test", $0.name, $0.result == .fail ? 1 : 0) }),
      MetricFamily(
        "mailhost_test_timestamp_seconds", .gauge, "When the last `mailhost test` ended, in seconds since 1970.",
        hostTest?.at),
      MetricFamily(
        "mailhost_dns_findings", .gauge, "What the last `mailhost dns check` found that counts, by how much does.",
        dnsCheck.map { check in
          [("critical", 2), ("warning", 1)].map { word, severity in
            ("severity", word, Double(check.findings.count { $0.severity == severity }))
          }
        } ?? []),
      MetricFamily(
        "mailhost_dns_check_timestamp_seconds", .gauge,
        "When the last `mailhost dns check` ended, in seconds since 1970.", dnsCheck?.at),
      MetricFamily(
        "mailboot_queue_deferred", .gauge, "Mails that postfix has put off, as last counted; no more than 10000 are.",
        queue.map { Double($0.count) }),
      MetricFamily(
        "mailboot_queue_oldest_age_seconds", .gauge, "How long the oldest of these mails had waited then.",
        queue?.oldestAge),
      MetricFamily("mailboot_build_info", .gauge, "The program's version; always 1.", [("version", version, 1)]),
    ]
  }
}

/// One metric with its samples.
struct MetricFamily {
  enum Kind: String { case gauge, counter }

  private let name: String
  private let kind: Kind
  private let help: String
  /// Labels in braces, or nothing, and the value.
  private var samples: [(labels: String, value: Double)] = []

  /// Samples that differ in one label. Two with the same value of it would make the whole text invalid: they are added up.
  init(_ name: String, _ kind: Kind, _ help: String, _ samples: [(label: String, of: String, value: Double)]) {
    self.name = name
    self.kind = kind
    self.help = help
    for sample in samples {
      let labels = "{\(sample.label)=\"\(Self.escaped(sample.of))\"}"
      if let index = self.samples.firstIndex(where: { $0.labels == labels }) {
        self.samples[index].value += sample.value
      } else {
        self.samples.append((labels, sample.value))
      }
    }
  }

  /// One sample, or none.
  init(_ name: String, _ kind: Kind, _ help: String, _ value: Double?) {
    self.init(name, kind, help, [])
    if let value { samples = [("", value)] }
  }

  /// Nothing at all without a sample.
  var text: String {
    guard !samples.isEmpty else { return "" }
    return "# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n"
      + samples.map { "\(name)\($0.labels) \(Self.number($0.value))\n" }.joined()
  }

  /// A label's value: backslash, quote and line feed are escaped, everything else stands for itself.
  private static func escaped(_ value: String) -> String {
    var text = ""
    for scalar in value.unicodeScalars {
      switch scalar {
      case "\\": text += "\\\\"
      case "\"": text += "\\\""
      case "\n": text += "\\n"
      default: text.unicodeScalars.append(scalar)
      }
    }
    return text
  }

  private static func number(_ value: Double) -> String {
    value == value.rounded() ? decimal(value, places: 0) : decimal(value, places: 3)
  }
}
