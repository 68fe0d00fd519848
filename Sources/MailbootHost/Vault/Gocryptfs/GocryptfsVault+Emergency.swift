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
  func revokeKey(_ worker: Worker, _ reactor: Reactor) throws(Failure) -> StepOutcome {
    let device = MountTable.current().flatMap { ours($0)?.device }
    let killed = try GocryptfsProcess.end(directory: directory, mount: vault.mount, grace: 0, reactor)
    // One that was started by hand and is not recognised ends when the kernel gives up its connection.
    let cut = device.map { FUSEConnection(device: $0).abort() } ?? false
    if killed || cut { return .changed }
    guard device == nil else {
      throw .system("the gocryptfs that serves \(vault.mount) is not to be found: it ends when that is unmounted")
    }
    return .unchanged
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

/// The kernel's end of a FUSE mount, see fuse(4).
struct FUSEConnection {
  /// `0:52`, as the mount table has it.
  let device: String

  /// Has every request fail from now on; whoever serves them is told that it is over.
  /// - Returns: whether it was there.
  func abort() -> Bool {
    guard let minor = device.split(separator: ":").last else { return false }
    let descriptor = mb_open("/sys/fs/fuse/connections/\(minor)/abort", O_WRONLY | O_CLOEXEC, 0)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    return write(descriptor, "1", 1) == 1
  }
}
