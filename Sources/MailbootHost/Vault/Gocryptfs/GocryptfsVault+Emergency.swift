import CLinux
import Glibc
import Linux
import MailbootCore

/// What an emergency does to it.
extension GocryptfsVault {
  func checkEmergency() throws(Failure) {}

  /// The key is in gocryptfs' memory alone, and goes with it. Files that are open give errors from then on.
  func revokeKey(_ worker: Worker, _ reactor: Reactor) throws(Failure) -> StepOutcome {
    try GocryptfsProcess.end(directory: directory, mount: vault.mount, grace: 0, reactor) ? .changed : .unchanged
  }

  func closeInEmergency(_ worker: Worker, _ reactor: Reactor) throws(Failure) -> StepOutcome {
    let outcome = try revokeKey(worker, reactor)
    if MountTable.current().flatMap({ ours($0) }) != nil {
      throw .vault(VaultFailure(.busy, "\(vault.mount) is still mounted"), device: directory)
    }
    return outcome
  }
}
