import Foundation
import MachineKit

/// Figures of a native host: at the speed of this machine, with a gocryptfs vault.
struct NativeBench {
  let release: Release
  let package: Package?
  let rounds: Int

  private static let tools = "/usr/local/lib/mailboot-machine"
  private static let services = "redis-server rspamd dovecot postfix"

  func rows() async throws -> [BenchTable.Row] {
    var script: [Double] = []
    var ours: [Double] = []
    for round in 1...rounds {
      script.append(try await unlock(by: Self.tools + "/old-unlock"))
      ours.append(try await unlock(by: "mailboot --stdin"))
      Command.say(
        "\(release.name), native, round \(round): the script \(BenchTable.seconds(script[round - 1])), mailboot \(BenchTable.seconds(ours[round - 1]))"
      )
    }
    let floor = try await floor()
    let times = try await status()
    let place = "native \(release.name)"
    return [
      BenchTable.Row(
        what: "unlock, \(place)", measured: BenchTable.seconds(ours.median),
        reference: "the script \(BenchTable.seconds(script.median)); floor \(BenchTable.seconds(floor))",
        ratio: ours.median / script.median, limit: 0.8),
      BenchTable.Row(
        what: "`mailboot status`, \(place)", measured: BenchTable.milliseconds(times.ours),
        reference: "`systemctl status` of the same \(BenchTable.milliseconds(times.status))",
        ratio: times.ours / times.status, limit: 1),
      BenchTable.Row(
        what: "`mailboot status`, \(place)", measured: BenchTable.milliseconds(times.ours),
        reference: "`systemctl is-active` of the same \(BenchTable.milliseconds(times.isActive))",
        ratio: times.ours / times.isActive, limit: 1.7),
    ]
  }

  /// On a host of its own each time.
  private func unlock(by command: String) async throws -> Double {
    let host = try await NativeHost.fresh(release, with: package)
    let interruption = Interruption(closing: host)
    defer { interruption.end() }
    return try await Bench.unlock(by: command, on: host)
  }

  /// Key derivation and mount, then the slowest of the services, each started alone and waited for until it answers.
  private func floor() async throws -> Double {
    let host = try await NativeHost.fresh(release, with: package)
    let interruption = Interruption(closing: host)
    defer { interruption.end() }
    let printed = try await host.succeed(
      """
      set -o pipefail -e
      start=$EPOCHREALTIME
      printf '%s' \(shellQuoted(GuestCredentials.vaultPassphrase)) | gocryptfs -q -allow_other /vault_crypt /vault
      echo "$start $EPOCHREALTIME"
      answers() {
        case $1 in
          rspamd) curl --silent --fail http://127.0.0.1:11333/ping >/dev/null ;;
          redis-server) (exec 3<>/dev/tcp/127.0.0.1/6379) 2>/dev/null ;;
          dovecot) (exec 3<>/dev/tcp/127.0.0.1/993) 2>/dev/null ;;
          postfix) (exec 3<>/dev/tcp/127.0.0.1/25) 2>/dev/null ;;
        esac
      }
      for service in \(Self.services); do
        start=$EPOCHREALTIME
        systemctl start $service
        until answers $service; do sleep 0.01; done
        echo "$start $EPOCHREALTIME"
      done
      """)
    let times = try printed.split(separator: "\n").map { try Bench.difference(String($0)) }
    guard let vault = times.first, let slowest = times.dropFirst().max() else {
      throw MachineError(.commandFailed, "no times: \(printed)")
    }
    return vault + slowest
  }

  /// One run of each, in turns, on a ready host.
  private func status() async throws -> (ours: Double, status: Double, isActive: Double) {
    let host = try await NativeHost.fresh(release, with: package)
    let interruption = Interruption(closing: host)
    defer { interruption.end() }
    _ = try await Bench.unlock(by: "mailboot --stdin", on: host)
    let printed = try await host.succeed(
      """
      for turn in {0..40}; do
        start=$EPOCHREALTIME; mailboot status >/dev/null; echo "ours $start $EPOCHREALTIME"
        start=$EPOCHREALTIME; systemctl status \(Self.services) >/dev/null; echo "status $start $EPOCHREALTIME"
        start=$EPOCHREALTIME; systemctl is-active \(Self.services) >/dev/null; echo "is-active $start $EPOCHREALTIME"
      done
      """, timeout: .seconds(300))
    var times: [Substring: [Double]] = [:]
    // The first of each only warms up.
    for line in printed.split(separator: "\n").dropFirst(3) {
      let words = line.split(separator: " ", maxSplits: 1)
      times[words[0], default: []].append(try Bench.difference(String(words[1])))
    }
    return (
      times["ours", default: []].median, times["status", default: []].median, times["is-active", default: []].median
    )
  }
}
