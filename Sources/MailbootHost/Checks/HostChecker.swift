import CLinux
import Glibc
import Linux
import MailbootCore
import Text

/// How each check is made on this machine.
struct HostChecker {
  let configuration: Configuration
  let kind: any VaultKind
  let worker: Worker
  let facts: CheckFacts
  /// Whether an interrupted change of the database may be rolled back: `unlock` may, `verify` changes nothing.
  let mayRollBack: Bool

  var verify: Configuration.Verify { configuration.verify }

  func begin(_ group: CheckGroup, deadline: Double) -> CheckTask {
    CheckTask(group, deadline: deadline) { () throws(Failure) -> CheckTask.Next in
      switch group {
      case .mount: .findings([mount()])
      case .freeSpace: .findings([freeSpace()])
      case .database: try database()
      case .dkim: try dkim()
      case .certificate: try certificate()
      case .postfix:
        try tool(.postfixRefuses, ["/usr/sbin/postfix", "check"], good: "postfix check ends without an error")
      case .dovecot: try tool(.dovecotRefuses, ["/usr/bin/doveconf", "-n"], good: "doveconf reads its configuration")
      case .rspamd: try tool(.rspamdRefuses, ["/usr/bin/rspamadm", "configtest"], good: "rspamadm configtest passes")
      case .maps: try maps()
      }
    }
  }

  /// How postfix may start, now that its checks have passed; nil when they have not.
  var quickStart: PostfixQuickStart? {
    guard facts.postfixChecked, let queue = facts.postfix?["queue_directory"], queue.hasPrefix("/") else { return nil }
    return PostfixQuickStart(queueDirectory: queue)
  }

  private func mount() -> Finding {
    let path = configuration.vault.mount
    let observation: Observation
    do throws(Failure) {
      observation = try Observer(configuration, kind: kind).storage()
    } catch {
      return Finding(notMade: .mount, error.summary)
    }
    if case .broken(let why) = observation.opening { return Finding(.vaultBroken, why) }
    guard let mounted = observation.mount else {
      return Finding(.mountAbsent, "nothing is mounted on \(path)")
    }
    guard observation.vaultMounted else {
      return Finding(.mountOther, "\(path) holds \(mounted.source), not the vault")
    }
    let entry = MountTable.current()?.mount(on: path)
    // A subvolume is a whole of its own.
    if let root = entry?.root, root != "/", entry?.filesystem != "btrfs", observation.opening.vault?.device != nil {
      return Finding(.mountOther, "\(path) holds only the directory \(root) of the vault")
    }
    if let flaw = observation.opening.vault?.flaws.first { return Finding(.vaultBroken, flaw) }
    if mounted.isReadOnly || entry?.isReadOnly ?? false, !configuration.vault.options.contains("ro") {
      return Finding(
        .mountReadOnly, "\(path) is mounted read-only",
        hint: "after an error the kernel does that: see `journalctl -b -k | tail`, then unmount it and run fsck")
    }
    return Finding(sound: .mount, "\(mounted.source) on \(path), \(mounted.filesystem)")
  }

  /// Of the first vault; a further one that fills up is worth a warning, and keeps no mail down.
  private func freeSpace() -> Finding {
    let first = freeSpace(on: configuration.vault.mount)
    guard first.sound, !configuration.otherVaults.isEmpty, !verify.isStrict(.freeSpace) else { return first }
    let mounts = MountTable.current()
    let further = configuration.otherVaults.map(\.mount).filter { mounts?.mount(on: $0) != nil }.map(freeSpace(on:))
    if let low = further.first(where: { !$0.sound }) { return low }
    return Finding(sound: .freeSpace, ([first] + further).map(\.detail).joined(separator: "; "))
  }

  private func freeSpace(on path: String) -> Finding {
    let space: statvfs
    switch SpaceQuestion(path).answer() {
    case .space(let answer) where answer.f_blocks > 0: space = answer
    case .space: return Finding(.spaceUnknown, "\(path) has no size")
    case .failed(let code): return Finding(.spaceUnknown, "\(path): \(errnoText(code))")
    case .silent: return Finding(.spaceUnknown, "\(path) does not answer")
    }
    let percent = Int(space.f_bavail * 100 / space.f_blocks)
    let amount = Self.size(UInt64(space.f_bavail) * UInt64(space.f_frsize))
    // Small mails fill inodes before bytes.
    let inodes = space.f_files > 0 ? Int(space.f_favail * 100 / space.f_files) : 100
    if inodes < verify.freeSpacePercent && inodes < percent {
      return Finding(
        .spaceLow, "\(inodes) % of the inodes free on \(path)",
        hint: "many small files fill it: see `du --inodes -x -d2 \(path)`")
    }
    let detail = "\(percent) % (\(amount)) free on \(path)"
    guard percent < verify.freeSpacePercent else { return Finding(sound: .freeSpace, detail) }
    return Finding(.spaceLow, detail, hint: "see what fills it: `du -xh -d2 \(path) | sort -h | tail`")
  }

  /// A size with a binary unit, as `df -h` has it.
  static func size(_ bytes: UInt64) -> String {
    var value = Double(bytes)
    var unit = 0
    let names = ["B", "KiB", "MiB", "GiB", "TiB"]
    while value >= 1024 && unit < names.count - 1 {
      value /= 1024
      unit += 1
    }
    return decimal(value, places: unit == 0 || value >= 100 ? 0 : 1) + " " + names[unit]
  }
}

/// Without control characters, for showing on a terminal.
func printable(_ text: some StringProtocol) -> String {
  String(String.UnicodeScalarView(text.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7f ? " " : $0 }))
}
