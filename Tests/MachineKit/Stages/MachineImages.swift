import Foundation

/// Makes what emulated machines start from, each stage on top of the one before it and only when its inputs changed: the disks, made of
/// the native hosts' layers and vault; the locked machine, with its memory.
struct MachineImages: Sendable {
  private let trees: HostTrees
  private var cache: MachineCache { trees.cache }

  /// - Parameter report: called with a line for people about each stage: what it was and how long it took.
  init(_ release: Release, in cache: MachineCache, report: @escaping @Sendable (String) -> Void = { _ in }) {
    trees = HostTrees(release, in: cache, report: report)
  }

  /// All stages of a machine that is ready to start, to be held as long as it runs.
  struct Locked: Sendable {
    let disks: Stage
    let locked: Stage
    let accelerator: Accelerator

    var memory: String { locked.directory + "/memory" }

    /// The hardware with these drives.
    func hardware(_ drives: [Hardware.Drive]) -> Hardware {
      Hardware(
        accelerator: accelerator, kernel: disks.directory + "/vmlinuz", initrd: disks.directory + "/initrd.img",
        drives: drives)
    }
  }

  /// The names of the disks in each stage, as the guest's serial numbers: `/dev/vda` and `/dev/vdb`.
  static let disks = ["root", "vault"]

  /// Finds or makes all stages.
  func locked(with package: Package) throws -> Locked {
    let disks = try disks(with: package)
    let accelerator = try AcceleratorProbe(cache: cache).choose(
      kernel: disks.directory + "/vmlinuz", initrd: disks.directory + "/initrd.img")
    let locked = try locked(on: disks, accelerator)
    return Locked(disks: disks, locked: locked, accelerator: accelerator)
  }

  /// Both disks, kernel and initrd, of what the native hosts are made of.
  private func disks(with package: Package) throws -> Stage {
    let builder = try Repository.machineDirectory()
    let programs = ["build-disk", "build-vault", "lib/initrd"].map { "\(builder)/\($0)" }
    let contents = try HostCommand.run(["sha256sum", "--"] + programs)
    let layers = try trees.layers(with: package)
    let host = layers[1]
    return try trees.stage("disks", inputs: layers.map(\.identity) + [contents]) { directory in
      try HostCommand.run(
        [programs[0], directory, builder + "/files"] + layers.map { $0.directory + "/layer" }, timeout: .seconds(300))
      let copy = directory + "/vault.ext4"
      try HostCommand.run(["cp", "--sparse=always", host.directory + "/vault.ext4", copy])
      try HostCommand.run([programs[1], copy, directory], timeout: .seconds(300))
      try FileManager.default.removeItem(atPath: copy)
    }
  }

  private func locked(on disks: Stage, _ accelerator: Accelerator) throws -> Stage {
    let qemu = try HostCommand.run(["qemu-system-x86_64", "--version"])
    // Saved memory fits only the same machine in the same qemu.
    let machine = Hardware(accelerator: accelerator, kernel: "", initrd: "", drives: []).command(.cold)
    return try trees.stage("locked", inputs: [disks.identity, qemu, machine.joined(separator: " ")]) { directory in
      for disk in Self.disks {
        try Self.makeOverlay("\(directory)/\(disk).qcow2", on: disks, disk, relativeTo: directory)
      }
      try withWorkshop(directory, disks, accelerator) { workshop in
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
    _ directory: String, _ disks: Stage, _ accelerator: Accelerator, _ work: (Workshop) throws -> Void
  ) throws {
    let drives = Self.disks.map { Hardware.Drive(path: "\(directory)/\($0).qcow2", serial: $0) }
    var hardware = Hardware(
      accelerator: accelerator, kernel: disks.directory + "/vmlinuz", initrd: disks.directory + "/initrd.img",
      drives: drives)
    // Nobody cuts the power here, and a failed stage is thrown away.
    hardware.honoursFlushes = false
    let slot = try Slots.machines.take(in: cache)
    defer { withExtendedLifetime(slot) {} }
    let workshop = try Workshop(hardware, log: directory + "/qemu.log")
    try work(workshop)
    try workshop.switchOff()
  }
}
