import Foundation

/// What the bench has measured, a line each, with a limit where there is one.
struct BenchTable {
  /// One figure beside what it is compared with.
  struct Row {
    let what: String
    let measured: String
    let reference: String
    let ratio: Double?
    /// At most this ratio; nil: it is only shown.
    var limit: Double?
    /// In place of `limit`, by whoever has measured it: the limit in words, and whether the figure is within it.
    var judged: (limit: String, isWithin: Bool)?

    var isWithin: Bool {
      if let judged { return judged.isWithin }
      guard let ratio, let limit else { return true }
      return ratio <= limit
    }

    fileprivate var cells: [String] {
      [
        what, measured, reference, ratio.map { String(format: "%.2f", $0) } ?? "",
        judged?.limit ?? limit.map { String(format: "%.1f", $0) } ?? "",
        judged == nil && limit == nil ? "" : isWithin ? "ok" : "TOO MUCH",
      ]
    }
  }

  private(set) var rows: [Row] = []

  var isWithin: Bool { rows.allSatisfy(\.isWithin) }

  mutating func add(_ new: [Row]) { rows += new }

  private static let head = ["what", "mailboot", "beside it", "ratio", "at most", ""]

  /// For people at a terminal.
  var text: String {
    let lines = [Self.head] + rows.map(\.cells)
    let widths = Self.head.indices.map { column in lines.map { $0[column].count }.max() ?? 0 }
    return lines.map { cells in
      zip(cells, widths).map { $0.padding(toLength: $1, withPad: " ", startingAt: 0) }.joined(separator: "  ")
    }.joined(separator: "\n")
  }

  /// The page `docs/benchmarks.md`.
  func page(rounds: Int, of machine: String) -> String {
    let lines = [Self.head, Self.head.map { _ in "---" }] + rows.map(\.cells)
    return """
      # Benchmarks

      `make bench` measures and writes this page. It ends with 1 when a figure is over its limit. Measured on \(machine), medians of
      \(rounds) rounds in turns for unlocks and of 40 for `status`. "native" is a Debian host in a container, at this machine's speed, with a gocryptfs
      vault. "emulated" is a whole machine without hardware virtualization, with a LUKS vault. The script is the shell script that
      `mailboot` replaces; an unlock counts from the passphrase until redis, rspamd, dovecot and postfix all answer. The floor is what no order of steps can go below:
      key derivation and mount, then the slowest single service. The rows with 1,000,000 users, on this machine's disk and beside other work, take
      `MILLION=1 make bench`: memory, and how long a call waits that changes a user all the while.

      \(lines.map { "| " + $0.joined(separator: " | ") + " |" }.joined(separator: "\n"))

      """
  }

  /// The processors and the kernel, without a date or a name.
  static func machineClass() -> String {
    let information = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
    let model = information.split(separator: "\n").first { $0.hasPrefix("model name") }
      .flatMap { $0.split(separator: ":").last.map { $0.trimmingCharacters(in: .whitespaces) } }
    let release = (try? String(contentsOfFile: "/proc/sys/kernel/osrelease", encoding: .utf8)) ?? ""
    let kernel = release.split(separator: ".").prefix(2).joined(separator: ".")
    return "\(ProcessInfo.processInfo.processorCount) processors (\(model ?? "of a kind not known")), Linux \(kernel)"
  }

  static func seconds(_ value: Double) -> String { String(format: value < 10 ? "%.2f s" : "%.1f s", value) }
  static func milliseconds(_ value: Double) -> String { String(format: "%.1f ms", value * 1000) }
}

extension [Double] {
  /// The middle of the sorted values; 0 of none.
  var median: Double {
    let values = sorted()
    guard !values.isEmpty else { return 0 }
    return (values[(values.count - 1) / 2] + values[values.count / 2]) / 2
  }
}
