import MailbootCore

/// What of postfix will be otherwise than it is, each with the reason that our own file gives.
public struct Differences: Equatable, Sendable {
  public struct Difference: Equatable, Sendable {
    public var name: String
    /// Nil: nobody has set it, or, of ours, it stays as postfix has it.
    public var old: String?
    public var new: String?
    public var reason: String
  }

  public var main: [Difference] = []
  /// Of master.cf, one line each.
  public var master: [String] = []

  /// - Parameters:
  ///   - host: as it is.
  ///   - mainText: our main.cf.
  ///   - masterText: our master.cf.
  public init(from host: RunningHost, to mainText: String, _ masterText: String) {
    let (running, defaults) = (MainCF(host.main).values, MainCF(host.defaults).values)
    let ours = MainCF(mainText).values
    let reasons = Self.reasons(in: mainText)
    for name in Set(running.keys).union(ours.keys).sorted() {
      let change = MainCF.Change(name: name, old: ours[name], new: running[name])
      let (old, new) = (running[name] ?? defaults[name], ours[name] ?? defaults[name])
      if Self.means(old, new) || PackageEdits.isKnown(change) { continue }
      main.append(
        Difference(
          name: name, old: running[name], new: ours[name],
          reason: reasons[name] ?? "postfix' own default does, which every test is made with"))
    }
    let (there, here) = (MasterCF(host.master).services, MasterCF(masterText).services)
    for key in Set(there.keys).union(here.keys).sorted() {
      switch (there[key], here[key]) {
      case (let old?, let new?):
        if old.command != new.command { master.append("\(key): \(old.command) → \(new.command)") }
        for name in Set(old.options.keys).union(new.options.keys).sorted()
        where !Self.means(old.options[name], new.options[name]) {
          master.append("\(key), \(name): \(old.options[name] ?? "(not set)") → \(new.options[name] ?? "(not set)")")
        }
      case (let old?, nil): master.append("\(key): \(old.command) → (no such service)")
      case (nil, let new?): master.append("\(key): (no such service) → \(new.command)")
      default: break
      }
    }
  }

  /// The same words, whether commas part them or spaces.
  private static func means(_ one: String?, _ other: String?) -> Bool {
    guard let one, let other else { return one == other }
    return one == other || RunningHost.words(one) == RunningHost.words(other)
  }

  /// The comment above each parameter, or else above the paragraph that it stands in.
  static func reasons(in text: String) -> [String: String] {
    var reasons: [String: String] = [:]
    var comment: [String] = []
    var isOpen = false
    for line in textLines(text) {
      if line.hasPrefix("#") {
        // A comment behind parameters begins anew, one behind a comment goes on.
        if !isOpen { comment = [] }
        isOpen = true
        comment.append(trimmed(line.dropFirst()))
      } else if line.isEmpty {
        comment = []
        isOpen = false
      } else {
        isOpen = false
        guard let sign = line.firstIndex(of: "="), line.first.map(isSpace) == false, !comment.isEmpty else { continue }
        reasons[trimmed(line[..<sign])] = comment.joined(separator: " ")
      }
    }
    return reasons
  }
}

extension Differences.Difference: CustomStringConvertible {
  /// `name: old → new, because …`, for people.
  public var description: String {
    let change = MainCF.Change(name: name, old: old, new: new)
    return "\(change)\n  because: \(reason)"
  }
}

extension Adoption {
  /// Keeps what somebody has set on the host, where ours is otherwise, as `[postfix.main]`. What nobody has set follows ours.
  public mutating func keep(_ differences: Differences) {
    for item in differences.main {
      guard let old = item.old else { continue }
      if isParameterName(item.name) {
        add(
          "postfix.main.\(item.name)", .string(old), at: Origin(file: "main.cf", line: 0, column: 0),
          from: "main.cf as it was")
      } else {
        ignored.append(Note(name: item.name, source: "main.cf", reason: "[postfix.main] does not take such a name"))
      }
    }
  }
}
