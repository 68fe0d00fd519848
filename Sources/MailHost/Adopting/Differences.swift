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
  /// Of master.cf: services, and options of services.
  public var master: [Difference] = []

  /// - Parameters:
  ///   - host: as it is.
  ///   - files: ours, with main.cf and master.cf among them.
  public init(from host: RunningHost, to files: [RenderedFile]) {
    func ours(_ syntax: HostFile.Syntax) -> [RenderedFile] { files.filter { $0.file.syntax == syntax } }
    func reasons(_ files: [RenderedFile]) -> [String: String] {
      Reasons(files).settings.reduce(into: [:]) { all, setting in
        if !setting.reason.text.isEmpty { all[setting.name] = setting.reason.text }
      }
    }
    let (running, defaults) = (MainCF(host.main).values, MainCF(host.defaults).values)
    let (mainFiles, masterFiles) = (ours(.postfixMain), ours(.postfixMaster))
    let main = MainCF(mainFiles.map(\.text).joined()).values
    compare(running, main, defaults, reasons(mainFiles))
    compareServices(
      MasterCF(host.master).services, MasterCF(masterFiles.map(\.text).joined()).services, running, main,
      reasons(masterFiles))
  }

  private mutating func compare(
    _ running: [String: String], _ ours: [String: String], _ defaults: [String: String], _ reasons: [String: String]
  ) {
    for name in Set(running.keys).union(ours.keys).sorted() {
      let change = MainCF.Change(name: name, old: ours[name], new: running[name])
      let (old, new) = (running[name] ?? defaults[name], ours[name] ?? defaults[name])
      if Self.means(old, new) || PackageEdits.isKnown(change) { continue }
      main.append(
        Difference(
          name: name, old: running[name], new: ours[name],
          reason: reasons[name] ?? "postfix' own default does, which every test is made with"))
    }
  }

  private mutating func compareServices(
    _ there: [MasterCF.Key: MasterCF.Service], _ here: [MasterCF.Key: MasterCF.Service], _ running: [String: String],
    _ ours: [String: String], _ reasons: [String: String]
  ) {
    func add(_ name: String, _ old: String?, _ new: String?, _ reason: String?) {
      master.append(
        Difference(name: name, old: old, new: new, reason: reason ?? "that is how Debian has it, and the tests"))
    }
    /// What an option says, with the parameter put in that it refers to.
    func meaning(_ value: String?, _ main: [String: String]) -> String? {
      guard let value, value.hasPrefix("$") else { return value }
      return main[value.filter { !"${}()".contains($0) }] ?? value
    }
    for key in Set(there.keys).union(here.keys).sorted() {
      let reason = reasons[key.description]
      switch (there[key], here[key]) {
      case (let old?, let new?):
        if old.command != new.command { add(key.description, old.command, new.command, reason) }
        for name in Set(old.options.keys).union(new.options.keys).sorted() {
          let (before, after) = (old.options[name], new.options[name])
          if !Self.means(meaning(before, running), meaning(after, ours)) {
            add("\(key), -o \(name)", before, after, reasons["\(key)/\(name)"])
          }
        }
      // What the package brings and nothing here uses, nobody misses.
      case (let old?, nil):
        if !StockFiles.isService(old) {
          add(
            key.description, old.command, nil, "mailhost writes no such service: [postfix.master] takes one of your own"
          )
        }
      case (nil, let new?): add(key.description, nil, new.command, reason)
      default: break
      }
    }
  }

  /// The same words, whether commas part them or spaces.
  private static func means(_ one: String?, _ other: String?) -> Bool {
    guard let one, let other else { return one == other }
    return one == other || RunningHost.words(one) == RunningHost.words(other)
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
