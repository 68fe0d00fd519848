import Foundation
import MachineKit

/// Measures `mailboot` against the shell script that it replaces, in the same machine and from the same state.
struct Bench {
  let release: Release
  let package: Package?
  /// How often each is measured, in turns; the medians are compared.
  var rounds = 3

  /// At most this part of the script's time.
  private static let unlockLimit = 0.6
  /// `mailboot status`, at most this many times `systemctl is-active postfix`.
  private static let statusLimit = 1.5
  /// Of each stripped program, in bytes.
  private static let sizeLimit = 18_000_000
  private static let tools = "/usr/local/lib/mailboot-machine"
  private static let locked = "locked"

  /// Prints the figures.
  /// - Returns: 0 when all are within their limits, 1 otherwise.
  func perform() async throws -> Int32 {
    let machine = try await Machine.fresh(release, with: package)
    let interruption = Interruption(closing: machine)
    defer { interruption.end() }
    try await machine.saveState(Self.locked)

    var script: [Double] = []
    var ours: [Double] = []
    for round in 1...rounds {
      script.append(try await timeUnlock(by: Self.tools + "/old-unlock", on: machine))
      ours.append(try await timeUnlock(by: "mailboot --stdin", on: machine))
      Command.say("round \(round): the script \(seconds(script[round - 1])), mailboot \(seconds(ours[round - 1]))")
    }
    // The last round left the machine ready.
    let (status, isActive) = try await timeStatus(on: machine)
    let size = try await programSize(on: machine)

    let rows = [
      row(
        "unlock until all four answer", seconds(ours.median), "\(seconds(script.median)) by the script",
        ours.median / script.median, Self.unlockLimit),
      row(
        "mailboot status", milliseconds(status), "\(milliseconds(isActive)) systemctl is-active",
        status / isActive, Self.statusLimit),
      row(
        "size of the largest program", "\(size) bytes", "\(Self.sizeLimit) bytes",
        Double(size) / Double(Self.sizeLimit), 1),
    ]
    print("\(release.name), medians of \(rounds) rounds")
    for row in rows { print(row.text) }
    return rows.allSatisfy(\.isWithin) ? 0 : 1
  }

  /// From the passphrase handed over, key derivation included, until redis, rspamd, dovecot and postfix all answer.
  private func timeUnlock(by command: String, on machine: Machine) async throws -> Double {
    try await machine.restore(Self.locked)
    let printed = try await machine.succeed(
      """
      set -o pipefail -e
      start=$EPOCHREALTIME
      printf '%s' \(shellQuoted(GuestCredentials.vaultPassphrase)) | \(command) >/dev/null
      \(Self.tools)/await-services 600 >/dev/null
      echo "$start $EPOCHREALTIME"
      """, timeout: .seconds(900))
    return try difference(printed)
  }

  /// One run of each, in turns.
  private func timeStatus(on machine: Machine) async throws -> (ours: Double, reference: Double) {
    var ours: [Double] = []
    var reference: [Double] = []
    let printed = try await machine.succeed(
      """
      for turn in {0..20}; do
        start=$EPOCHREALTIME; mailboot status >/dev/null; echo "ours $start $EPOCHREALTIME"
        start=$EPOCHREALTIME; systemctl is-active postfix >/dev/null; echo "reference $start $EPOCHREALTIME"
      done
      """, timeout: .seconds(300))
    // The first of each only warms up.
    for line in printed.split(separator: "\n").dropFirst(2) {
      let words = line.split(separator: " ", maxSplits: 1)
      let time = try difference(String(words[1]))
      if words[0] == "ours" { ours.append(time) } else { reference.append(time) }
    }
    return (ours.median, reference.median)
  }

  /// Of the largest program.
  private func programSize(on machine: Machine) async throws -> Int {
    let printed = try await machine.succeed("stat --format %s /usr/sbin/mailboot /usr/libexec/mailboot/*")
    return printed.split(separator: "\n").compactMap { Int($0) }.max() ?? 0
  }

  /// The seconds between two of bash's times.
  private func difference(_ printed: String) throws -> Double {
    let times = printed.split(whereSeparator: \.isWhitespace).compactMap { Double($0) }
    guard times.count == 2 else { throw MachineError(.commandFailed, "not two times: \(printed)") }
    return times[1] - times[0]
  }

  private func seconds(_ value: Double) -> String { String(format: "%.1f s", value) }
  private func milliseconds(_ value: Double) -> String { String(format: "%.0f ms", value * 1000) }

  private func row(
    _ what: String, _ measured: String, _ reference: String, _ ratio: Double, _ limit: Double
  ) -> (text: String, isWithin: Bool) {
    let verdict = ratio <= limit ? "ok" : "TOO MUCH"
    let columns = [what, measured, reference].map { $0.padding(toLength: 30, withPad: " ", startingAt: 0) }
    return (columns.joined() + String(format: "%.2f of at most %.2f  ", ratio, limit) + verdict, ratio <= limit)
  }
}

extension [Double] {
  /// The middle of the sorted values; 0 of none.
  fileprivate var median: Double {
    let values = sorted()
    guard !values.isEmpty else { return 0 }
    return (values[(values.count - 1) / 2] + values[values.count / 2]) / 2
  }
}
