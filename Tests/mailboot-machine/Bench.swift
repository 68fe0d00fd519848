import Foundation
import MachineKit

/// Measures `mailboot` against what it replaces, on the same hosts and from the same state.
struct Bench {
  let releases: [Release]
  let package: Package?
  /// What to measure; both unless told.
  let kinds: [Command.Kind]
  /// What `scripts/bench-accounts` has printed.
  let accounts: String?
  /// Where the page goes.
  let table: String?
  /// How often each unlock is measured, in turns; the medians are compared.
  var rounds = 3

  private static let tools = "/usr/local/lib/mailboot-machine"
  private static let locked = "locked"

  /// Prints the figures.
  /// - Returns: 0 when all are within their limits, 1 otherwise.
  func perform() async throws -> Int32 {
    var result = BenchTable()
    if let accounts { result.add(try accountRows(String(contentsOfFile: accounts, encoding: .utf8))) }
    for release in releases where kinds.contains(.native) {
      result.add(try await NativeBench(release: release, package: package, rounds: rounds).rows())
      result.add(try await MailhostBench(release: release).rows())
    }
    for release in releases where kinds.contains(.machine) { result.add(try await emulated(release)) }
    print(result.text)
    if let table {
      try result.page(rounds: rounds, of: BenchTable.machineClass())
        .write(toFile: table, atomically: true, encoding: .utf8)
    }
    return result.isWithin ? 0 : 1
  }

  private func emulated(_ release: Release) async throws -> [BenchTable.Row] {
    let machine = try await Machine.fresh(release, with: required(package))
    let interruption = Interruption(closing: machine)
    defer { interruption.end() }
    try await machine.saveState(Self.locked)
    var script: [Double] = []
    var ours: [Double] = []
    for round in 1...rounds {
      try await machine.restore(Self.locked)
      script.append(try await Self.unlock(by: Self.tools + "/old-unlock", on: machine))
      try await machine.restore(Self.locked)
      ours.append(try await Self.unlock(by: "mailboot --stdin", on: machine))
      Command.say(
        "\(release.name), emulated, round \(round): the script \(BenchTable.seconds(script[round - 1])), mailboot \(BenchTable.seconds(ours[round - 1]))"
      )
    }
    let size = try await programSize(on: machine)
    return [
      BenchTable.Row(
        what: "unlock, emulated \(release.name), LUKS", measured: BenchTable.seconds(ours.median),
        reference: "the script \(BenchTable.seconds(script.median))", ratio: ours.median / script.median, limit: 0.6),
      BenchTable.Row(
        what: "largest program, \(release.name)", measured: String(format: "%.1f MB", Double(size) / 1e6),
        reference: "",
        ratio: nil),
    ]
  }

  /// From the passphrase handed over, key derivation included, until redis, rspamd, dovecot and postfix all answer.
  /// - Returns: seconds.
  static func unlock(by command: String, on guest: any Guest) async throws -> Double {
    let printed = try await guest.succeed(
      """
      set -o pipefail -e
      start=$EPOCHREALTIME
      printf '%s' \(shellQuoted(GuestCredentials.vaultPassphrase)) | \(command) >/dev/null
      \(tools)/await-services 600 >/dev/null
      echo "$start $EPOCHREALTIME"
      """, timeout: .seconds(900))
    return try difference(printed)
  }

  /// The seconds between two of bash's times.
  static func difference(_ printed: String) throws -> Double {
    let times = printed.split(whereSeparator: \.isWhitespace).compactMap { Double($0) }
    guard times.count == 2 else { throw MachineError(.commandFailed, "not two times: \(printed)") }
    return times[1] - times[0]
  }

  /// Of the largest program, bytes.
  private func programSize(on guest: any Guest) async throws -> Int {
    let printed = try await guest.succeed(
      "stat --format %s /usr/sbin/mailboot /usr/bin/mailcfg /usr/libexec/mailboot/*")
    return printed.split(separator: "\n").compactMap { Int($0) }.max() ?? 0
  }

  /// What `scripts/bench-accounts` prints, fields ended by tabs: what, ours, the other's, their ratio, the limit, `ok` or not.
  private func accountRows(_ printed: String) throws -> [BenchTable.Row] {
    try printed.split(separator: "\n").map { line in
      let fields = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
      guard fields.count == 6 else { throw MachineError(.commandFailed, "no figures of mailcfg in: \(line)") }
      return BenchTable.Row(
        what: fields[0], measured: fields[1], reference: fields[0].contains("Perl") ? "Perl \(fields[2])" : fields[2],
        ratio: Double(fields[3]), judged: (fields[4], fields[5] == "ok"))
    }
  }
}
