import Foundation

/// Makes what native hosts start from, layers over each other and each only when its inputs changed: the installed system; the mail host,
/// as `mailhost apply` makes it, with a filled gocryptfs vault; our package. The emulated machine is made of them as well.
struct HostTrees: Sendable {
  let release: Release
  let cache: MachineCache
  /// Called with a line for people about each stage: what it was and how long it took.
  let report: @Sendable (String) -> Void

  init(_ release: Release, in cache: MachineCache, report: @escaping @Sendable (String) -> Void = { _ in }) {
    self.release = release
    self.cache = cache
    self.report = report
  }

  /// Describes the stages: raised when this code makes something else of the same inputs.
  private static let format = "3"

  func stage(_ name: String, inputs: [String], build: (String) throws -> Void) throws -> Stage {
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

  /// All layers of a host, topmost first, to be held as long as it runs.
  /// - Parameter package: our `.deb`, or `nil` for a bare Debian with the packages of a mail host, which nobody has configured.
  func layers(with package: Package?) throws -> [Stage] {
    let system = try system()
    guard let package else { return [system] }
    let host = try host(on: system, package)
    let installed = try stage("installed", inputs: [host.identity, package.digest]) { directory in
      try withHost(directory, on: [host, system]) { try install(package, on: $0) }
    }
    return [installed, host, system]
  }

  private func install(_ package: Package, on host: RunningHost) throws {
    let file = host.server.directory + "/mailboot.deb"
    try FileManager.default.copyItem(atPath: package.path, toPath: file)
    try host.succeed(
      "DEBIAN_FRONTEND=noninteractive dpkg --install /run/mailboot-machine/mailboot.deb", timeout: .seconds(120))
    try FileManager.default.removeItem(atPath: file)
  }

  /// All layers of a Debian on which nobody has done anything yet, topmost first. Its apt knows one repository, which is part of it.
  /// - Parameter next: a later release, whose repository is there as well: `/usr/local/share/mailboot-machine/repository-13`.
  func bareLayers(next: Release? = nil) throws -> [Stage] {
    let repository = try repository()
    let builder = try Repository.machineDirectory()
    let contents = try contents(of: "build-bare files native packages/bare lib/certificate", in: builder)
    let bare = try stage("bare", inputs: [repository.identity, contents]) { directory in
      let command = [builder + "/build-bare", release.rawValue, repository.directory + "/layer", directory]
      try HostCommand.run(["setpriv", "--pdeathsig", "TERM", "--"] + command, timeout: .seconds(900))
    }
    let later = try next.map { try HostTrees($0, in: cache, report: report).repository() }
    return [bare, repository] + (later.map { [$0] } ?? [])
  }

  /// All layers of a host beside a mail host, topmost first: a bare one with what is in `packages/neighbour`.
  func neighbourLayers() throws -> [Stage] {
    let below = try bareLayers()
    let builder = try Repository.machineDirectory()
    let contents = try contents(of: "build-neighbour packages/neighbour", in: builder)
    let neighbour = try stage("neighbour", inputs: [below[0].identity, contents]) { directory in
      // Without a slot: a scene that waits for this one has a slot already.
      try withHost(directory, on: below, hasSlot: false) { host in
        let list = try String(contentsOfFile: builder + "/packages/neighbour", encoding: .utf8)
        let packages = list.split(separator: "\n").filter { !$0.hasPrefix("#") }.joined(separator: " ")
        try FileManager.default.copyItem(
          atPath: builder + "/build-neighbour", toPath: host.server.directory + "/build-neighbour")
        try host.succeed("/run/mailboot-machine/build-neighbour \(packages)", timeout: .seconds(300))
        try FileManager.default.removeItem(atPath: host.server.directory + "/build-neighbour")
      }
    }
    return [neighbour] + below
  }

  /// The packages that a host is made of, and those of others that tests install, as a repository in `layer`.
  func repository() throws -> Stage {
    let system = try system()
    let builder = try Repository.machineDirectory()
    let contents = try contents(
      of: "build-repository packages/foreign packages/neighbour lib/package-index lib/apt-sources", in: builder)
    return try stage("repository", inputs: [system.identity, contents]) { directory in
      let command = [builder + "/build-repository", release.rawValue, system.directory + "/layer", directory]
      try HostCommand.run(["setpriv", "--pdeathsig", "TERM", "--"] + command, timeout: .seconds(900))
    }
  }

  /// Checksums of all files in some places below a directory.
  private func contents(of places: String, in directory: String) throws -> String {
    try HostCommand.run([
      "sh", "-c",
      "cd \(shellQuoted(directory)) && find \(places) -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum",
    ])
  }

  /// The installed system, in `layer`.
  func system() throws -> Stage {
    let builder = try Repository.machineDirectory()
    let contents = try HostCommand.run([
      "sh", "-c",
      """
      set -e
      cd \(shellQuoted(builder))
      find build-tree files lib packages/common packages/1? -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum
      find build-tree files lib -type f -perm /111 | LC_ALL=C sort
      """,
    ])
    return try stage("system", inputs: [contents]) { directory in
      // The signal lets the script clean up when this process is killed meanwhile.
      let command = ["setpriv", "--pdeathsig", "TERM", "--", builder + "/build-tree", release.rawValue, directory]
      try HostCommand.run(command, timeout: .seconds(1800))
      try FileManager.default.moveItem(atPath: directory + "/tree", toPath: directory + "/layer")
    }
  }

  /// The mail host as `mailhost apply` makes it, with a filled gocryptfs vault: what it wrote in `layer`, and what is in the vault as
  /// `vault.ext4`. Made anew only when what makes it has changed, not with every package.
  func host(on system: Stage, _ package: Package) throws -> Stage {
    let files = try Repository.machineDirectory() + "/native"
    let contents = try contents(of: ".", in: files)
    return try stage("host", inputs: [system.identity, contents, package.makerDigest()]) { directory in
      func prepare(_ layer: String) throws {
        try HostCommand.run(["cp", "--recursive", "--no-preserve=ownership", files + "/.", layer])
      }
      try withHost(directory, on: [system], prepare: prepare) { host in
        try install(package, on: host)
        try host.succeed("/usr/local/lib/mailboot-machine/provision", timeout: .seconds(300))
        try FileManager.default.moveItem(
          atPath: host.server.directory + "/vault.ext4", toPath: directory + "/vault.ext4")
      }
    }
  }

  /// Has work done in a running host, and leaves as `layer` what it wrote.
  /// - Parameters:
  ///   - hasSlot: whether it waits while too many hosts run here.
  ///   - prepare: puts files into the layer, before it is booted.
  private func withHost(
    _ directory: String, on layers: [Stage], hasSlot: Bool = true,
    prepare: (_ layer: String) throws -> Void = { _ in }, _ work: (RunningHost) throws -> Void
  ) throws {
    let slot = hasSlot ? try Slots.hosts.take(in: cache) : nil
    defer { withExtendedLifetime(slot) {} }
    let files = FileManager.default
    let place = directory + "/host-" + UUID().uuidString
    let changes = place + "/changes"
    try files.createDirectory(atPath: changes, withIntermediateDirectories: true)
    try prepare(changes)
    let host = try RunningHost(place, on: layers.map { $0.directory + "/layer" })
    do {
      try host.awaitBoot(.seconds(60))
      try work(host)
      try host.switchOff(timeout: .seconds(60))
    } catch {
      try? host.kill(removing: true)
      throw error
    }
    try files.moveItem(atPath: place + "/changes", toPath: directory + "/layer")
    try HostCommand.run(["rm", "-rf", "--one-file-system", "--", place])
  }
}
