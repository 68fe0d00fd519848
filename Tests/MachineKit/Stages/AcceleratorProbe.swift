import Foundation

/// Finds out whether KVM really runs a kernel here. Where it exists but does not work, a guest hangs at full load.
struct AcceleratorProbe {
  let cache: MachineCache

  /// KVM if a kernel boots with it, emulation otherwise. What was found holds until this host boots again.
  func choose(kernel: String, initrd: String) throws -> Accelerator {
    guard access("/dev/kvm", R_OK | W_OK) == 0 else { return .emulation }
    let probing = try FileLock.waiting(cache.root + "/accelerator.lock", .exclusive)
    defer { withExtendedLifetime(probing) {} }
    let boot = try String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8)
    let record = cache.root + "/accelerator"
    let known = (try? String(contentsOfFile: record, encoding: .utf8))?.split(separator: "\n").map(String.init) ?? []
    if known.count == 2, known[0] + "\n" == boot, let accelerator = Accelerator(rawValue: known[1]) {
      return accelerator
    }
    let accelerator = try boots(kernel: kernel, initrd: initrd) ? Accelerator.kvm : .emulation
    try "\(boot)\(accelerator.rawValue)\n".write(toFile: record, atomically: true, encoding: .utf8)
    return accelerator
  }

  /// Boots a kernel without any disk: it works if its initrd gets to miss the disk within ten seconds.
  private func boots(kernel: String, initrd: String) throws -> Bool {
    let (ours, theirs) = try Descriptor.socketPair()
    let log = cache.root + "/accelerator.log"
    let command =
      [
        "setpriv", "--pdeathsig", "KILL", "--", "qemu-system-x86_64", "-nodefaults", "-no-user-config", "-machine",
        "pc",
      ]
      + Accelerator.kvm.options + ["-smp", "2", "-m", "256", "-nic", "none", "-display", "none", "-no-reboot"]
      + ["-chardev", "socket,id=line,fd=3", "-serial", "chardev:line", "-kernel", kernel, "-initrd", initrd]
      + ["-append", "console=ttyS0,115200 root=/dev/none panic=-1"]
    let child = try ChildProcess(
      .init(
        command: command, output: Descriptor(path: log, flags: O_WRONLY | O_CREAT | O_TRUNC), others: [theirs],
        inOwnGroup: true))
    defer { child.signal(SIGKILL) }
    let deadline = Deadline(after: .seconds(10))
    var printed = ""
    while try ours.waitForInput(until: deadline) {
      let bytes = try ours.readSome()
      if bytes.isEmpty { return false }
      printed += String(decoding: bytes, as: UTF8.self)
      if printed.contains("Run /init as init process") { return true }
    }
    return false
  }
}
