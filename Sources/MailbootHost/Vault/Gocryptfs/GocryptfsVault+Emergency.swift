import CLinux
import Glibc
import Linux
import MailbootCore

/// What an emergency does to it.
extension GocryptfsVault {
  func isThereInEmergency() throws(Failure) -> Bool {
    // Not asked whether it answers: that may take seconds.
    MountTable.current().flatMap({ ours($0) }) != nil
      || !GocryptfsProcess.all(directory: directory, mount: vault.mount).isEmpty
  }

  /// The key is in gocryptfs' memory alone, and goes with it. Files that are open give errors from then on.
  ///
  /// Killed it may not end: while it starts it has a file of its own mount open, and closing that asks itself. So the kernel's end of the
  /// connection is cut, too, which also ends one that was started by hand and is not recognised.
  func revokeKey(_ worker: Worker, _ reactor: Reactor) throws(Failure) -> StepOutcome {
    let pids = GocryptfsProcess.all(directory: directory, mount: vault.mount)
    var ending = ProcessEnding(reactor: reactor)
    ending.grace = 0.2
    try ending.end(pids, byForceAtOnce: true, stillMeant: isServer)
    let cut = cutConnection()
    ending.grace = 5
    try ending.end(pids, byForceAtOnce: true, stillMeant: isServer)
    return pids.isEmpty && !cut ? .unchanged : .changed
  }

  private func isServer(_ pid: Int32) -> Bool {
    GocryptfsProcess.all(directory: directory, mount: vault.mount).contains(pid)
  }

  /// `umount --force` has every request fail from now on, and tells whoever serves them that it is over; it unmounts only what nobody
  /// uses.
  /// - Returns: whether there was anything to cut.
  private func cutConnection() -> Bool {
    guard let table = MountTable.current(), let entry = ours(table), table.mount(on: vault.mount) == entry else {
      return false
    }
    lastFileSystem = entry.device
    return umount2(vault.mount, Int32(MNT_FORCE)) == 0 || errno == EBUSY
  }

  func closeInEmergency(_ worker: Worker, _ reactor: Reactor) throws(Failure) -> StepOutcome {
    guard let table = MountTable.current() else {
      throw .system("/proc is not mounted: the mount table cannot be read")
    }
    if ours(table) != nil {
      throw .vault(VaultFailure(.busy, "\(vault.mount) is still mounted"), device: directory)
    }
    let outcome = try revokeKey(worker, reactor)
    if let device = fileSystem(table).flatMap({ DeviceNumber($0) }),
      !MountHolders(device: device, mountPoints: [vault.mount]).processes().isEmpty
    {
      // They read and write nothing any more, but what the kernel has cached for them is cleartext.
      dropCaches()
      throw .vault(VaultFailure(.busy, "unmounted, but still held open"), device: directory)
    }
    return outcome
  }

  /// Of all file systems, because the kernel knows no other way: none is wrong after it, only slower for a while.
  private func dropCaches() {
    let descriptor = mb_open("/proc/sys/vm/drop_caches", O_WRONLY | O_CLOEXEC, 0)
    guard descriptor >= 0 else { return }
    defer { Glibc.close(descriptor) }
    _ = Glibc.write(descriptor, "1", 1)
  }
}
