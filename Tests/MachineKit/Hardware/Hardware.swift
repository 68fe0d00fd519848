/// What a machine is made of, as far as qemu is told.
struct Hardware: Sendable {
  /// A disk that the guest sees as a virtio block device.
  struct Drive: Sendable {
    /// An image file on this host.
    var path: String
    /// `qcow2` or `raw`.
    var format = "qcow2"
    /// At most 20 bytes; the guest finds it as `/dev/disk/by-id/virtio-SERIAL`.
    var serial: String
    var readOnly = false
    /// A file that gets every write, in its order; see ``WriteLog``. The image is raw then.
    var writeLog: String?
  }

  var accelerator: Accelerator
  var kernel: String
  var initrd: String
  var drives: [Drive]
  /// The socket of the program that is its TPM 2.0; nil: it has none.
  var tpm: String?
  /// Whether the guest's flushes reach the image files: only then does a power cut lose no more than a real one.
  var honoursFlushes = true

  /// How a machine is switched on.
  enum Start: Sendable {
    /// From the kernel on.
    case cold
    /// With the memory saved in this file, and stopped.
    case memory(String)
    /// With nothing run yet, to load a snapshot into.
    case stopped
  }

  /// The numbers under which qemu inherits its sockets, in the order of ``PoweredMachine``.
  enum Socket: Int32, CaseIterable {
    case monitor = 3
    case agent
    case ttyS0
    case ttyS1
  }

  /// On a busy host an emulated timer looks broken to the kernel's check of it, and boots without it may hang.
  private static let kernelCommandLine = "root=/dev/vda rw console=ttyS0,115200 quiet no_timer_check"

  /// qemu's command line. There is no network device at all.
  func command(_ start: Start) -> [String] {
    // qemu must not outlive the process that drives it, however that ends.
    var words = ["setpriv", "--pdeathsig", "KILL", "--", "qemu-system-x86_64", "-nodefaults", "-no-user-config"]
    words += ["-machine", "pc"] + accelerator.options + ["-smp", "2", "-m", "1024"]
    words += ["-nic", "none", "-display", "none", "-device", "virtio-rng-pci", "-device", "virtio-serial-pci"]
    for (socket, use) in [
      (Socket.monitor, ["-mon", "chardev=monitor,mode=control"]),
      (.agent, ["-device", "virtserialport,chardev=agent,name=org.qemu.guest_agent.0"]),
      (.ttyS0, ["-serial", "chardev:ttyS0"]),
      (.ttyS1, ["-serial", "chardev:ttyS1"]),
    ] {
      words += ["-chardev", "socket,id=\(socket),fd=\(socket.rawValue)"] + use
    }
    if let tpm {
      words += ["-chardev", "socket,id=tpm,path=\(tpm)", "-tpmdev", "emulator,id=tpm0,chardev=tpm"]
      words += ["-device", "tpm-tis,tpmdev=tpm0"]
    }
    words += ["-kernel", kernel, "-initrd", initrd, "-append", Self.kernelCommandLine]
    for drive in drives {
      words += ["-drive", "if=none,id=\(drive.serial)," + options(of: drive)]
      words += ["-device", "virtio-blk-pci,drive=\(drive.serial),serial=\(drive.serial)"]
    }
    switch start {
    case .cold: break
    case .memory(let path): words += ["-incoming", "exec:cat \(shellQuoted(path))"]
    case .stopped: words += ["-S"]
    }
    return words
  }

  /// A drive as `-drive` and `drive_add` take it; commas in the path are doubled for them.
  func options(of drive: Drive) -> String {
    func escaped(_ path: String) -> String {
      path.split(separator: ",", omittingEmptySubsequences: false).joined(separator: ",,")
    }
    let path = escaped(drive.path)
    if let log = drive.writeLog {
      return "driver=blklogwrites,file.driver=raw,file.file.driver=file,file.file.filename=\(path),"
        + "log.driver=file,log.filename=\(escaped(log)),discard=unmap"
    }
    let cache = honoursFlushes ? "writeback" : "unsafe"
    return "file=\(path),format=\(drive.format),cache=\(cache),discard=unmap,readonly=\(drive.readOnly ? "on" : "off")"
  }
}
