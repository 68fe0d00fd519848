import Foundation
import MachineKit

/// What was typed cannot be understood.
struct UsageError: Error {
  let what: String
}

/// What `mailboot-machine` does.
enum Command {
  case build([Release], Package?)
  case run(Release, Package?, String)
  case console(Release, Package?)
  case demo(Release, Package?)
  case bench(Release, Package?)

  static let usage = """
    usage: mailboot-machine build [--deb FILE | --no-deb] [RELEASE ...]
           mailboot-machine run [--deb FILE | --no-deb] RELEASE -- COMMAND
           mailboot-machine console [--deb FILE | --no-deb] RELEASE
           mailboot-machine demo [--deb FILE] [RELEASE]
           mailboot-machine bench [--deb FILE] [RELEASE]
    RELEASE is 12 or 13. Without --deb: $MAILBOOT_DEB, or the newest package in dist.
    """

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
    guard let verb = words.first else { throw UsageError(what: "what to do?") }
    let releases = try words.dropFirst().map { word in
      guard let release = Release(rawValue: word) else { throw UsageError(what: "there is no machine for '\(word)'") }
      return release
    }
    if wantsPackage && package == nil { package = try Package.find() }

    switch (verb, releases.count, command) {
    case ("build", 0, nil): return .build(Release.allCases, package)
    case ("build", _, nil): return .build(releases, package)
    case ("run", 1, let command?): return .run(releases[0], package, command)
    case ("console", 1, nil): return .console(releases[0], package)
    case ("demo", 0...1, nil): return .demo(releases.first ?? .debian12, package)
    case ("bench", 0...1, nil): return .bench(releases.first ?? .debian12, package)
    default: throw UsageError(what: "cannot understand '\(arguments.joined(separator: " "))'")
    }
  }

  /// Does it.
  /// - Returns: the exit status.
  func perform() async throws -> Int32 {
    switch self {
    case .build(let releases, let package):
      try await MachineBuild.run(releases, with: package) { Self.say($0) }
      return 0
    case .run(let release, let package, let command):
      let machine = try await Machine.fresh(release, with: package)
      let interruption = Interruption(closing: machine)
      defer { interruption.end() }
      let output = try await machine.run(command, timeout: .seconds(1800))
      FileHandle.standardOutput.write(output.standardOutput)
      FileHandle.standardError.write(output.standardError)
      return output.status
    case .console(let release, let package):
      guard RawTerminal.isThere else { throw UsageError(what: "console needs a terminal") }
      Self.say("root's password: \(GuestCredentials.rootPassword). Ctrl-] leaves.")
      let machine = try await Machine.fresh(release, with: package, .off)
      let interruption = Interruption(closing: machine)
      defer { interruption.end() }
      try await machine.powerOn()
      try RawTerminal.connect(to: machine.ttyS0, of: machine)
      return 0
    case .demo(let release, let package):
      return try await Demo(release: release, package: package).perform()
    case .bench(let release, let package):
      return try await Bench(release: release, package: package).perform()
    }
  }

  /// Prints a line on standard error.
  static func say(_ line: String) {
    FileHandle.standardError.write(Data((line + "\n").utf8))
  }
}
