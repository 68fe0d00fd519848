extension SystemdManager {
  /// Queues the start of a mount unit made for this purpose, as `systemd-mount --collect` does.
  ///
  /// The unit is bound to its device when `what` is a device node, and forgotten when it is unmounted or has failed.
  /// - Parameters:
  ///   - name: the unit of the mount point, `UnitName.mount(forPath:)`.
  ///   - type: the file system; empty lets mount(8) find out.
  ///   - runFsck: check the file system first, by `systemd-fsck@`.
  ///   - extra: more properties. `JobTimeoutUSec` is not among those systemd lets a caller set: to bound the wait for a
  ///     device that does not come, `cancel` the job.
  ///
  /// `systemd-fsck@` stays active until its device goes away: a second mount of the same open device is not checked again.
  /// - Throws: `isUnitExists` when a unit of that name is loaded, from fstab or because it is mounted.
  public func startTransientMount(
    name: UnitName, what: String, type: String, options: [String], description: String, runFsck: Bool,
    extra: [UnitProperty] = []
  ) throws(BusError) -> JobID {
    let properties = transientMountProperties(
      what: what, type: type, options: options, description: description, runFsck: runFsck, extra: extra)
    return try startTransientUnit(name, properties.map { .value($0) })
  }
}

/// The properties of a mount unit like those `systemd-mount` sets.
func transientMountProperties(
  what: String, type: String, options: [String], description: String, runFsck: Bool, extra: [UnitProperty]
) -> [UnitProperty] {
  var properties = [
    UnitProperty("Description", .string(description)),
    UnitProperty("CollectMode", .string("inactive-or-failed")),
    UnitProperty("What", .string(what)),
  ]
  if !type.isEmpty { properties.append(UnitProperty("Type", .string(type))) }
  if !options.isEmpty { properties.append(UnitProperty("Options", .string(options.joined(separator: ",")))) }
  if what.hasPrefix("/dev/") {
    let device = UnitName.device(forPath: what).rawValue
    properties += [UnitProperty("BindsTo", .strings([device])), UnitProperty("After", .strings([device]))]
  }
  if runFsck {
    let fsck = UnitName.fsck(forDevice: what).rawValue
    properties += [UnitProperty("Requires", .strings([fsck])), UnitProperty("After", .strings([fsck]))]
  }
  return properties + extra
}
