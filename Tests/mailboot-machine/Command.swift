import Foundation
import MachineKit

/// What was typed cannot be understood.
struct UsageError: Error {
  let what: String
}

/// What `mailboot-machine` does.
enum Command {
  case build([Release], Package?, [Kind])
  case run(Release, Package?, Kind, String)
  case console(Release, Package?, Kind)
  case demo(Release, Package?, Kind?)
  case bench(Bench)
  /// The table of docs/power-cuts.md, on standard output.
  case powerCuts(Release, Package?, verb: String?, count: Int)

  static let usage = """
    usage: mailboot-machine build [--kind KIND] [--deb FILE | --no-deb] [RELEASE ...]
           mailboot-machine run [--kind KIND] [--deb FILE | --no-deb] RELEASE -- COMMAND
           mailboot-machine console [--kind KIND] [--deb FILE | --no-deb] RELEASE
           mailboot-machine demo [--kind KIND] [--deb FILE] [RELEASE]
           mailboot-machine bench [--kind KIND] [--deb FILE] [--accounts FILE] [--table FILE] [RELEASE ...]
           mailboot-machine power-cuts [--deb FILE] [--verb VERB] [--count CUTS] [RELEASE]
    KIND is native (a container with a gocryptfs vault) or machine (qemu, with a LUKS vault), of `run` also bare (a Debian with nothing on it); without it: build makes both, run and console
    take the machine, bench measures both, demo takes what suits this host. RELEASE is 12 or 13. Without --deb: $MAILBOOT_DEB, or the newest package in dist.
    """

  /// A kind of guest.
  enum Kind: String, CaseIterable {
    case native
    case machine
    /// A Debian on which nobody has done anything yet, with our package as `/root/mailboot.deb`; for `run` alone.
    case bare

    /// What a mail host comes as.
    static let allCases: [Kind] = [.native, .machine]

    func fresh(_ release: Release, with package: Package?, booted: Bool = true) async throws -> any Guest {
      switch self {
      case .native: try await NativeHost.fresh(release, with: package, booted: booted)
      case .machine: try await Machine.fresh(release, with: required(package), booted ? .booted : .off)
      case .bare: try await NativeHost.bare(release)
      }
    }
  }

  static func parse(_ arguments: [String]) throws -> Command {
    var words = arguments
    var command: String?
    if let separator = words.firstIndex(of: "--") {
      command = words[(separator + 1)...].joined(separator: " ")
      words.removeSubrange(separator...)
    }
    var package: Package?
    var wantsPackage = true
    if let option = words.firstIndex(of: "--no-deb") {
      wantsPackage = false
      words.remove(at: option)
    }
    if let option = words.firstIndex(of: "--deb") {
      guard option + 1 < words.count else { throw UsageError(what: "--deb needs a file") }
      package = try Package(words[option + 1])
      words.removeSubrange(option...(option + 1))
    }
    var kind: Kind?
    if let option = words.firstIndex(of: "--kind") {
      guard option + 1 < words.count, let given = Kind(rawValue: words[option + 1]) else {
        throw UsageError(what: "--kind needs native or machine")
      }
      kind = given
      words.removeSubrange(option...(option + 1))
    }
    let accounts = try take("--accounts", from: &words)
    let table = try take("--table", from: &words)
    let cutVerb = try take("--verb", from: &words)
    let count = try take("--count", from: &words).map { text in
      guard let count = Int(text), count > 0 else { throw UsageError(what: "--count \(text) is no number of cuts") }
      return count
    }
    guard let verb = words.first else { throw UsageError(what: "what to do?") }
    let releases = try words.dropFirst().map { word in
      guard let release = Release(rawValue: word) else { throw UsageError(what: "there is no machine for '\(word)'") }
      return release
    }
    if wantsPackage && package == nil { package = try Package.find() }

    switch (verb, releases.count, command) {
    case ("build", _, nil):
      return .build(releases.isEmpty ? Release.allCases : releases, package, kind.map { [$0] } ?? Kind.allCases)
    case ("run", 1, let command?): return .run(releases[0], package, kind ?? .machine, command)
    case ("console", 1, nil): return .console(releases[0], package, kind ?? .machine)
    case ("demo", 0...1, nil): return .demo(releases.first ?? .debian12, package, kind)
    case ("bench", _, nil):
      return .bench(
        Bench(
          releases: releases.isEmpty ? Release.allCases : releases, package: package,
          kinds: kind.map { [$0] } ?? Kind.allCases, accounts: accounts, table: table))
    case ("power-cuts", 0...1, nil):
      guard cutVerb == nil || PowerCuts.Scene.all.contains(where: { $0.name == cutVerb }) else {
        throw UsageError(
          what: "--verb takes one of \(PowerCuts.Scene.all.map(\.name).joined(separator: ", "))")
      }
      return .powerCuts(releases.first ?? .debian12, package, verb: cutVerb, count: count ?? 24)
    default: throw UsageError(what: "cannot understand '\(arguments.joined(separator: " "))'")
    }
  }

  /// Takes an option and its value out of the words.
  private static func take(_ option: String, from words: inout [String]) throws -> String? {
    guard let place = words.firstIndex(of: option) else { return nil }
    guard place + 1 < words.count else { throw UsageError(what: "\(option) needs a value") }
    defer { words.removeSubrange(place...(place + 1)) }
    return words[place + 1]
  }

  /// Does it.
  /// - Returns: the exit status.
  func perform() async throws -> Int32 {
    switch self {
    case .build(let releases, let package, let kinds):
      if kinds.contains(.native) { try await MachineBuild.hosts(releases, with: package) { Self.say($0) } }
      if kinds.contains(.machine) {
        try await MachineBuild.machines(releases, with: required(package)) { Self.say($0) }
      }
      return 0
    case .run(let release, let package, let kind, let command):
      let guest = try await kind.fresh(release, with: package)
      let interruption = Interruption(closing: guest)
      defer { interruption.end() }
      let output = try await guest.run(command, timeout: .seconds(1800))
      FileHandle.standardOutput.write(output.standardOutput)
      FileHandle.standardError.write(output.standardError)
      return output.status
    case .console(let release, let package, let kind):
      guard RawTerminal.isThere else { throw UsageError(what: "console needs a terminal") }
      Self.say("root's password: \(GuestCredentials.rootPassword). Ctrl-] leaves.")
      let guest = try await kind.fresh(release, with: package, booted: false)
      let interruption = Interruption(closing: guest)
      defer { interruption.end() }
      try await guest.powerOn()
      try guest.ttyS0.open()
      try RawTerminal.connect(to: guest.ttyS0, of: guest)
      return 0
    case .demo(let release, let package, let kind):
      return try await Demo(release: release, package: package, kind: kind).perform()
    case .bench(let bench):
      return try await bench.perform()
    case .powerCuts(let release, let package, let verb, let count):
      var rows: [PowerCuts.Row] = []
      for scene in PowerCuts.Scene.all where verb == nil || verb == scene.name {
        let machine = try await Machine.fresh(release, with: required(package))
        defer { machine.close() }
        rows += try await PowerCuts(machine).run(scene, count: count) { row in
          Self.say("\(row.scene) \(row.write)/\(row.writes) \(row.luck.rawValue): \(row.found) | \(row.again)")
        }
      }
      FileHandle.standardOutput.write(Data(PowerCuts.table(rows).utf8))
      return rows.allSatisfy(\.isWell) ? 0 : 1
    }
  }

  /// Prints a line on standard error.
  static func say(_ line: String) {
    FileHandle.standardError.write(Data((line + "\n").utf8))
  }
}

/// What makes a mail host of a machine.
func required(_ package: Package?) throws -> Package {
  guard let package else { throw UsageError(what: "a machine is made by the package; --no-deb is for --kind native") }
  return package
}
