import Foundation

/// Makes what machines start from, each stage on top of the one before it and only when its inputs changed:
/// the image; the provisioned disks, with a filled vault; the locked machine, with our package and its memory.
struct MachineImages: Sendable {
  let release: Release
  let cache: MachineCache
  /// Called with a line for people about each stage: what it was and how long it took.
  let report: @Sendable (String) -> Void

  init(_ release: Release, in cache: MachineCache, report: @escaping @Sendable (String) -> Void = { _ in }) {
    self.release = release
    self.cache = cache
    self.report = report
  }

  /// All stages of a machine that is ready to start, to be held as long as it runs.
  struct Locked: Sendable {
    let image: Stage
    let provisioned: Stage
    let locked: Stage
    let accelerator: Accelerator

    var memory: String { locked.directory + "/memory" }

    /// The hardware with these drives.
    func hardware(_ drives: [Hardware.Drive]) -> Hardware {
      Hardware(
        accelerator: accelerator, kernel: image.directory + "/vmlinuz", initrd: image.directory + "/initrd.img",
        drives: drives)
    }
  }

  /// The names of the disks in each stage, as the guest's serial numbers: `/dev/vda` and `/dev/vdb`.
  static let disks = ["root", "vault"]

  /// Finds or makes all stages.
  /// - Parameter package: our `.deb`, or `nil` for a machine without it.
  func locked(with package: Package?) throws -> Locked {
    let image = try image()
    let accelerator = try AcceleratorProbe(cache: cache).choose(
      kernel: image.directory + "/vmlinuz", initrd: image.directory + "/initrd.img")
    let provisioned = try provisioned(on: image, accelerator)
    let locked = try locked(on: provisioned, image, accelerator, package)
    return Locked(image: image, provisioned: provisioned, locked: locked, accelerator: accelerator)
  }

  /// Describes the stages: raised when this code makes something else of the same inputs.
  private static let format = "1"

  private func stage(_ name: String, inputs: [String], build: (String) throws -> Void) throws -> Stage {
    let start = ContinuousClock.now
    var built = false
    let stage = try cache.stage("\(name)-\(release.rawValue)", inputs: [Self.format] + inputs) {
      built = true
      try build($0)
    }
    let time = (ContinuousClock.now - start).inSeconds
    report("\(release.name): \(name): \(built ? "made in \(time)" : "already there")")
    return stage
  }

  private func image() throws -> Stage {
    let builder = try Repository.machineDirectory()
    let contents = try HostCommand.run([
      "sh", "-c",
      """
      set -e
      cd \(shellQuoted(builder))
      find . -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum
      find . -type f -perm /111 | LC_ALL=C sort
      """,
    ])
    return try stage("image", inputs: [contents, release.rawValue]) { directory in
      // The signal lets the script clean up when this process is killed meanwhile.
      let command = ["setpriv", "--pdeathsig", "TERM", "--", builder + "/build-image", release.rawValue, directory]
      try HostCommand.run(command, timeout: .seconds(1800))
    }
  }

  private func provisioned(on image: Stage, _ accelerator: Accelerator) throws -> Stage {
    try stage("provisioned", inputs: [image.identity]) { directory in
      try Self.makeOverlay(directory + "/root.qcow2", on: image, "root", relativeTo: directory)
      try HostCommand.run(["qemu-img", "create", "-q", "-f", "qcow2", directory + "/vault.qcow2", "1G"])
      try withWorkshop(directory, image, accelerator) { workshop in
        try workshop.succeed("/usr/local/lib/mailboot-machine/provision", timeout: .seconds(1800))
      }
    }
  }

  private func locked(
    on provisioned: Stage, _ image: Stage, _ accelerator: Accelerator, _ package: Package?
  ) throws -> Stage {
    let qemu = try HostCommand.run(["qemu-system-x86_64", "--version"])
    // Saved memory fits only the same machine in the same qemu.
    let machine = Hardware(accelerator: accelerator, kernel: "", initrd: "", drives: []).command(.cold)
    let inputs = [provisioned.identity, qemu, machine.joined(separator: " "), package?.digest ?? "no package"]
    return try stage("locked", inputs: inputs) { directory in
      for disk in Self.disks {
        try Self.makeOverlay("\(directory)/\(disk).qcow2", on: provisioned, disk, relativeTo: directory)
      }
      if let package {
        try withWorkshop(directory, image, accelerator, package: package) { workshop in
          try workshop.succeed(package.installCommand, timeout: .seconds(600))
        }
      }
      try withWorkshop(directory, image, accelerator) { workshop in
        try workshop.freeze(to: directory + "/memory")
      }
    }
  }

  /// Makes an overlay on a disk of a finished stage, by a relative path: the cache can be moved.
  private static func makeOverlay(_ path: String, on stage: Stage, _ disk: String, relativeTo directory: String) throws
  {
    let base = "../\((stage.directory as NSString).lastPathComponent)/\(disk).qcow2"
    try HostCommand.run(["qemu-img", "create", "-q", "-f", "qcow2", "-b", base, "-F", "qcow2", path])
  }

  private func withWorkshop(
    _ directory: String, _ image: Stage, _ accelerator: Accelerator, package: Package? = nil,
    _ work: (Workshop) throws -> Void
  ) throws {
    var drives = Self.disks.map { Hardware.Drive(path: "\(directory)/\($0).qcow2", serial: $0) }
    if let package { drives.append(package.drive) }
    var hardware = Hardware(
      accelerator: accelerator, kernel: image.directory + "/vmlinuz", initrd: image.directory + "/initrd.img",
      drives: drives)
    // Nobody cuts the power here, and a failed stage is thrown away.
    hardware.honoursFlushes = false
    let slot = try MachineSlots.take(in: cache)
    defer { withExtendedLifetime(slot) {} }
    let workshop = try Workshop(hardware, log: directory + "/qemu.log")
    try work(workshop)
    try workshop.switchOff()
  }
}
