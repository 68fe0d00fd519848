import Linux
import Systemd

/// The unit that gocryptfs runs in for as long as the vault is open. Its exit status is the unit's.
enum GocryptfsUnit {
  static let program = "/usr/bin/gocryptfs"
  /// Lets it serve several users at once; see packaging/gocryptfs-threads.c.
  private static let threads = "/usr/libexec/mailboot/gocryptfs-threads.so"

  /// `/vault` → `gocryptfs-vault.service`.
  static func name(mount: String) -> UnitName {
    UnitName("gocryptfs-" + UnitName.mount(forPath: mount).rawValue.dropLast(".mount".count) + ".service")
  }

  /// - Parameters:
  ///   - directory: the encrypted one, resolved.
  ///   - users: units that are to be stopped before it.
  ///   - passphrase: a descriptor that is read to its end; stays the caller's.
  static func service(
    directory: String, mount: String, options: [String], users: [UnitName], passphrase descriptor: Int32
  ) -> TransientService {
    // What fstab knows beside mount options.
    let kernelOptions = options.filter { $0 != "defaults" }
    return TransientService(
      name: name(mount: mount), description: "gocryptfs: \(directory) on \(mount)", executable: program,
      arguments: ["-q", "-fg", "-allow_other"]
        + (kernelOptions.isEmpty ? [] : ["-ko", kernelOptions.joined(separator: ",")]) + [directory, mount],
      environment: fileStatus(threads) == nil ? [] : ["LD_PRELOAD=\(threads)"], standardInput: descriptor,
      syslogIdentifier: "gocryptfs",
      // It ends by itself when the mount goes, which is stopped before it.
      timeoutStopMicroseconds: 10_000_000, extra: properties(directory: directory, mount: mount, users: users))
  }

  private static func properties(directory: String, mount: String, users: [UnitName]) -> [UnitProperty] {
    [
      // What it ended with is read afterwards.
      UnitProperty("CollectMode", .string("inactive")),
      // By default a service comes after all local mounts, and this one's is one of them. At shutdown: services, mount, gocryptfs, and
      // then what the encrypted directory lies on. The services are named because systemd takes up to a second to notice a mount: stopped
      // before that, with nothing to tell it of the mount unit, gocryptfs would unmount lazily below them.
      UnitProperty("DefaultDependencies", .bool(false)),
      UnitProperty(
        "Before", .strings([UnitName.mount(forPath: mount).rawValue, "umount.target"] + users.map(\.rawValue))),
      UnitProperty("Conflicts", .strings(["umount.target"])),
      UnitProperty("RequiresMountsFor", .strings([directory])),
      // It holds the key: in no core dump, and not in the swap. A handler in core_pattern gets what the filter lets through, whatever the
      // limit says.
      UnitProperty("LimitCORE", .uint64(0)),
      UnitProperty("LimitCORESoft", .uint64(0)),
      UnitProperty("CoredumpFilter", .uint64(0)),
      UnitProperty("MemorySwapMax", .uint64(0)),
      // All mail services go down with it.
      UnitProperty("OOMScoreAdjust", .int32(-900)),
      // None of the settings that would give it mounts of its own: the host has to see this one. What is left:
      UnitProperty("NoNewPrivileges", .bool(true)),
      UnitProperty("CapabilityBoundingSet", .uint64(capabilities)),
      UnitProperty("MemoryDenyWriteExecute", .bool(true)),
      UnitProperty("LockPersonality", .bool(true)),
      UnitProperty("RestrictRealtime", .bool(true)),
      UnitProperty("SystemCallArchitectures", .strings(["native"])),
      // Not RestrictSUIDSGID=: mail directories may pass their group on.
    ]
  }

  /// To mount, and to do in the encrypted directory whatever root may do with files there; see capabilities(7).
  private static let capabilities: UInt64 = [
    0,  // CAP_CHOWN
    1,  // CAP_DAC_OVERRIDE
    2,  // CAP_DAC_READ_SEARCH
    3,  // CAP_FOWNER
    4,  // CAP_FSETID
    6,  // CAP_SETGID
    7,  // CAP_SETUID: it makes files as whoever asks for them
    21,  // CAP_SYS_ADMIN
    27,  // CAP_MKNOD
    31,  // CAP_SETFCAP
  ].reduce(0) { $0 | 1 << UInt64($1) }
}
