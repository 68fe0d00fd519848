import MailbootCore
import MailbootHost

/// What to do about a failure: the one place where every error meets its remedy.
func hint(for failure: Failure, configuration: Configuration) -> String? {
  let vault = concerned(failure, configuration)
  switch failure {
  case .passphraseRefused(_, true, _): return "an empty passphrase is never tried; type the vault's passphrase"
  case .passphraseRefused(_, _, true):
    return "it ended in a carriage return (CR), which counts as part of it: was the file written on Windows?"
  case .passphraseRefused: return "mind Caps Lock and the keyboard layout, then run `mailboot` again"
  case .passphraseUnusable: return "give exactly the passphrase's bytes; `--stdin` drops one newline at the end"
  case .vault(let failure, let device): return hint(for: failure, device: device, vault: vault)
  case .deviceNotFound:
    return "see what is there with `lsblk -f`; correct `device` in [vault], or attach the disk and run `mailboot` again"
  case .noLUKSDevice:
    return
      "make a vault: `mailboot vault create`; or name the one that is there (see `lsblk -f`) as `device` in [vault] of"
      + " \(mailbootSettingsPath)"
  case .severalDevices(let wanted, _):
    return wanted.hasPrefix("LABEL=")
      ? "name it by `UUID=` as `device` (`lsblk -o NAME,UUID,LABEL`), or give the other one another label (`cryptsetup config --label`)"
      : "one is a copy: detach it, give it another UUID (`cryptsetup luksUUID --uuid`), or name the right one by its path in /dev/disk/by-id"
  case .severalLUKSDevices: return "name the vault as `device` in [vault] of \(mailbootSettingsPath)"
  case .mount(let failure, let path):
    return hint(for: failure, path: path, vault)
  case .verification(let records):
    return records.lazy.compactMap(\.hint).first
      ?? "correct it and run `mailboot` again; `mailboot verify` looks without starting anything"
  case .locked: return "unlock it first: `mailboot`"
  case .broken: return "`mailboot` clears away what is left, asks for the passphrase, and brings all back up"
  case .stuck:
    return
      "see what gocryptfs waits for (its disk?); `mailboot lock --emergency` ends it, then `mailboot` brings all back up"
  case .service(_, .missing(let unit)): return FirstSteps(on: configuration).hint(missing: unit)
  case .service(_, let failure): return hint(for: failure)
  case .busy: return "wait until it has ended, then look with `mailboot status`"
  case .interrupted: return nil
  case .notRoot("unlock"):
    return "try `sudo mailboot unlock`; members of the group mailboot may unlock while mailboot.service runs"
  case .notRoot(let verb): return "try `sudo mailboot \(verb)`"
  case .noBus: return "is systemd running here? without it see Recovery in \(readme)"
  case .system: return nil
  case .configuration(let error):
    return error.issues.count == 1 ? nil : "`mailboot config check` shows them again"
  case .usage(_, let hint): return hint
  case .reported(let report): return report.hint
  case .inUse(let use, _): return hint(for: use, vault: vault)
  case .emergency(let cause, let keyGone):
    return (hint(for: cause, configuration: configuration).map { $0 + "; " } ?? "")
      + (keyGone ? "`mailboot lock` clears what is left" : "if the key must be gone at once, switch the machine off")
  case .rollback(let cause, _):
    return "see what is left with `mailboot status`; first: "
      + (hint(for: cause, configuration: configuration) ?? cause.summary)
  }
}

/// The vault that a failure is about, as far as it says so.
private func concerned(_ failure: Failure, _ configuration: Configuration) -> Configuration.Vault {
  let place: String
  switch failure {
  case .vault(_, let device): place = device
  case .mount(_, let path): place = path
  default: return configuration.vault
  }
  return configuration.otherVaults.first { vault in
    [vault.mount, vault.device, vault.mappingName, vault.mappingName.map { "/dev/mapper/\($0)" }].contains(place)
  } ?? configuration.vault
}

private let readme = "/usr/share/doc/mailboot/README.md"

private func hint(for failure: VaultFailure, device: String, vault: Configuration.Vault) -> String? {
  switch failure.kind {
  case .noDirectory: "name the encrypted directory as `device` in [vault] of \(mailbootSettingsPath)"
  case .noDevice: "see what is there with `lsblk -f`"
  case .notGocryptfs: "is this the right directory? `gocryptfs -info \(device)` shows what it is"
  case .noProgram: "`apt install gocryptfs`"
  case .damagedConfiguration:
    "put back a copy: `mailboot vault restore-header FILE` (see /var/lib/mailboot/headers); without one the master key"
      + " opens it, see gocryptfs(1)"
  case .otherFormat:
    "is this the right device, and the right `type`? see what is there with `lsblk -f` and `blkid -p \(device)`"
  case .notLUKS:
    "is this the right device? `lsblk -f` shows which one is crypto_LUKS; if it is, something wrote over its header: put"
      + " a backup back with `mailboot vault restore-header FILE` (see /var/lib/mailboot/headers)"
  case .damagedHeader:
    "do not write to the disk; see what is left with `mailboot vault check-header`, and put a backup back with"
      + " `mailboot vault restore-header FILE`"
  case .nameTaken:
    "see `cryptsetup status \(vault.mapping)`; close the other one, or choose another `mapping` in [vault]"
  case .notAccepted: "mind Caps Lock and the keyboard layout, then run `mailboot` again"
  case .noMemory: "end what needs memory (`ps aux --sort -rss | head`), or add swap, then run `mailboot` again"
  case .noDeviceMapper: "is the module there? `modprobe dm-crypt`; after a kernel upgrade reboot first"
  case .busy where vault.kind == .gocryptfs:
    "see `findmnt -t fuse.gocryptfs`, unmount it there, then run `mailboot` again"
  case .busy: "see who uses it with `lsblk \(device)` and `fuser -vm \(vault.mount)`"
  case .notEmpty where !failure.detail.isEmpty: "name another place, or move away what is there"
  case .notEmpty: "what is on it would be lost; if that is what you want, say `--erase`"
  case .readOnly: "is it write-protected? see `lsblk -o NAME,RO \(device)`"
  case .tooSmall: "see what is there with `lsblk` and `df -h`; take another place, or another `--size`"
  case .other where vault.kind.isForeign: "see `journalctl -b -k | tail`"
  case .noToken:
    "the passphrase opens it; `mailboot vault keys` shows what else, `mailboot vault enroll tpm2 --replace` ties it to the TPM anew"
  case .noKeyslot: "see them with `mailboot vault keys`, remove one with `mailboot vault remove-key NUMBER`"
  case .notChanged where failure.detail.contains("vault rekey"): "finish it: `mailboot vault rekey`"
  case .notChanged: "what opened it opens it still; look with `mailboot vault check-header`, then try again"
  case .notSaved: "nothing was changed; is there room? see `df -h`, make some, then try again"
  case .other where vault.kind == .gocryptfs: "see `journalctl -b -t gocryptfs`"
  case .other: "see `journalctl -b -k | tail` and `cryptsetup luksDump \(device)`"
  }
}

private func hint(for use: VaultUse, vault: Configuration.Vault) -> String? {
  if use.holders.contains(where: \.isAncestor) {
    return "you are in the vault yourself: `cd /`, then try again"
  }
  if let obstacle = use.obstacles.first {
    switch obstacle {
    case .mount(let path), .covered(let path, _): return "`umount \(path)`, then try again"
    case .loop(let device, _): return "`losetup --detach \(device)` after what uses it, then try again"
    case .swap(let file): return "`swapoff \(file)`, then try again"
    case .device(let name): return "see what lies on it with `lsblk /dev/mapper/\(vault.mapping)`; close \(name) first"
    case .unseen where !vault.kind.isMapped: return "see `fuser -vm \(vault.mount)`"
    case .unseen: return "see `lsblk /dev/mapper/\(vault.mapping)` and `fuser -vm \(vault.mount)`"
    }
  }
  return "let them end, or end them with `mailboot lock --kill`"
}

private func hint(for failure: MountFailure, path: String, _ vault: Configuration.Vault) -> String? {
  let mapping = path == vault.mount ? vault.mappingName : nil
  return switch failure {
  case .notEmpty:
    // The guard makes an empty mount point immutable, and what is immutable cannot be moved.
    "something wrote there while the vault was locked: look at it, move it away"
      + " (`chattr -i \(path); mv \(path) \(path).stray`), then run `mailboot` again"
  case .occupied: "see `findmnt \(path)`; unmount it, then run `mailboot` again"
  case .notADirectory: "move it away, then run `mailboot` again"
  case .missing: "make it, or correct `mount` in [vault]"
  case .noFUSE: "is FUSE there? `modprobe fuse`, `apt install fuse3`; a container must be given /dev/fuse"
  case .refused where vault.kind == .gocryptfs && path == vault.mount:
    "is fuse3 installed, and does FUSE know the `options` in [vault]? see `journalctl -b -t gocryptfs`"
  case .refused:
    mapping.map {
      "open it with `cryptsetup open DEVICE \($0)` and check it with `fsck /dev/mapper/\($0)`;"
        + " have a backup before you repair"
    } ?? "correct [[bind]], or see `systemctl status \(path)`"
  case .sourceMissing: "make the directory in the vault, or correct `from` in [[bind]]"
  case .busy: "see who uses it with `fuser -vm \(path)`"
  }
}

private func hint(for failure: ServiceFailure) -> String? {
  switch failure {
  case .missing: nil
  case .masked(let unit): "allow it again with `systemctl unmask \(unit)`, or take it out of the configuration"
  case .notStarted(let unit, _, _): "see `journalctl -u \(unit)`, correct it, then run `mailboot` again"
  case .silent(let probe, _, _, _):
    "is it the right address (\(probe))? see what listens with `ss -ltnp`; a slow machine needs a larger"
      + " `service-timeout` in [unlock]"
  case .notStopped(let unit, _): "see `systemctl status \(unit)`"
  }
}
