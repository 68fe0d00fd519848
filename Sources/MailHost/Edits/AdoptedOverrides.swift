import JSON
import MailbootCore

/// What somebody edited in a file of ours, as lines of the settings that say the same: `mailhost apply --adopt FILE`.
public struct AdoptedOverrides: Equatable, Sendable {
  public struct Line: Equatable, Sendable {
    public var name: String
    public var value: String

    public init(name: String, value: String) {
      self.name = name
      self.value = value
    }
  }

  /// `[postfix.main]`.
  public var main: [Line] = []
  /// `[postfix.master.NAME]`.
  public var master: [String: [Line]] = [:]
  /// What no line of the settings can say, for people: with any of it the file cannot be adopted.
  public var rest: [String] = []

  public init() {}

  /// A drop-in of the settings with these lines.
  /// - Parameters:
  ///   - own: the settings' present lines: those that came from this drop-in stay in it, unless there is a newer one.
  ///   - path: of the drop-in.
  public func dropIn(keeping own: HostSettings.Own, of path: String) -> String {
    let kept = { (lines: [HostSettings.Own.Line], newer: [Line]) -> [Line] in
      lines.filter { old in old.origin.file == path && !newer.contains { $0.name == old.name } }
        .map { Line(name: $0.name, value: $0.value) } + newer
    }
    var text = ["# Edits of postfix' files that `mailhost apply --adopt` took over: change or remove them here."]
    let mainLines = kept(own.main, main)
    if !mainLines.isEmpty { text += ["", "[postfix.main]"] + mainLines.map(\.toml) }
    for name in Set(own.master.keys).union(master.keys).sorted() {
      let lines = kept(own.master[name] ?? [], master[name] ?? [])
      if !lines.isEmpty { text += ["", "[postfix.master.\(tomlKey(name))]"] + lines.map(\.toml) }
    }
    return text.joined(separator: "\n") + "\n"
  }
}

extension AdoptedOverrides.Line {
  /// As it stands in the settings.
  public var toml: String { "\(tomlKey(name)) = \(tomlString(value))" }
}

/// A TOML basic string; its escapes are those of JSON.
func tomlString(_ text: String) -> String { JSONText.string(text).rendered() }

/// A key of TOML: bare where it can be.
func tomlKey(_ name: String) -> String {
  let isBare = !name.isEmpty && name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_" || $0 == "-") }
  return isBare ? name : tomlString(name)
}

/// Turns an edit of a file of ours into lines of the settings.
public func adoptedOverrides(_ file: HostFile, onDisk: String, lastWritten: String) -> AdoptedOverrides {
  var adopted = AdoptedOverrides()
  switch file.syntax {
  case .postfixMain: adopted.take(from: MainCF(lastWritten), to: MainCF(onDisk))
  case .postfixMaster: adopted.take(from: MasterCF(lastWritten), to: MasterCF(onDisk))
  case .dovecot:
    adopted.rest = [
      "\(file.path) is no list of parameters: put your lines into a file of your own and name it in [dovecot] extra"
    ]
  case .rspamd:
    let name = file.path.split(separator: "/").last.map(String.init) ?? ""
    adopted.rest = ["\(file.path) cannot be taken apart: put your lines into /etc/rspamd/override.d/\(name)"]
  default:
    adopted.rest = ["\(file.path) has no place for lines of your own in the settings"]
  }
  return adopted
}

extension AdoptedOverrides {
  fileprivate mutating func take(from old: MainCF, to new: MainCF) {
    rest += new.unreadable.filter { !old.unreadable.contains($0) }.map { "\"\($0)\" has no = and is no parameter" }
    for change in old.changes(to: new) where !PackageEdits.isKnown(change) {
      if let value = change.new {
        if isParameterName(change.name) {
          main.append(Line(name: change.name, value: value))
        } else {
          rest.append("\(change.name) is a name that [postfix.main] does not take")
        }
      } else {
        rest.append("\(change.name) was removed: give it the value that it is to have instead")
      }
    }
  }

  fileprivate mutating func take(from old: MasterCF, to new: MasterCF) {
    rest += new.unreadable.filter { !old.unreadable.contains($0) }
      .map { "\"\($0)\" is no service: it has too few words" }
    for key in Set(old.services.keys).union(new.services.keys).sorted() {
      switch (old.services[key], new.services[key]) {
      case (let before?, let after?) where before != after: take(key, from: before, to: after)
      case (nil, let added?) where !PackageEdits.isKnown(added: added): take(added)
      case (_?, nil): rest.append("the service \(key) was removed: it is one that mailhost always writes")
      default: break
      }
    }
  }

  /// An edit of a service of ours: the submission ports take options, the others nothing.
  private mutating func take(_ key: MasterCF.Key, from old: MasterCF.Service, to new: MasterCF.Service) {
    guard old.command == new.command else {
      rest.append("\(key) became \"\(new.command)\": only options can be changed")
      return
    }
    for name in old.options.keys.sorted() where new.options[name] == nil {
      rest.append("\(key): the option \(name) was removed: give it the value that it is to have instead")
    }
    for (name, value) in new.options.sorted(by: { $0.key < $1.key }) where old.options[name] != value {
      guard key.type == "inet", ["submission", "submissions"].contains(key.name) else {
        rest.append("\(key): -o \(name)=\(value): only submission and submissions take options of your own")
        continue
      }
      append(name, value, to: key.name, of: key)
    }
  }

  /// A service that we do not have.
  private mutating func take(_ service: MasterCF.Service) {
    let key = service.key
    guard master[key.name] == nil, !["submission", "submissions"].contains(key.name) else {
      rest.append("\(key) is a second service of that name, and [postfix.master.\(key.name)] is one")
      return
    }
    // Behind the words of a program that pipe(8) runs, an option would be one more word of them.
    guard service.arguments.isEmpty || service.options.isEmpty else {
      let options = service.options.sorted { $0.key < $1.key }.flatMap { ["-o", "{\($0.key) = \($0.value)}"] }
      let words = [key.type] + service.fields + [service.program] + options + service.arguments
      master[key.name] = [Line(name: "command", value: words.joined(separator: " "))]
      return
    }
    master[key.name] = [Line(name: "command", value: service.command)]
    for (name, value) in service.options.sorted(by: { $0.key < $1.key }) { append(name, value, to: key.name, of: key) }
  }

  private mutating func append(_ name: String, _ value: String, to service: String, of key: MasterCF.Key) {
    guard isParameterName(name) else {
      rest.append("\(key): \(name) is a name that [postfix.master.\(service)] does not take")
      return
    }
    guard !value.contains(" ") else {
      rest.append("\(key): \(name) has a space: make it a parameter in main.cf and refer to that, as $my_list")
      return
    }
    master[service, default: []].append(Line(name: name, value: value))
  }
}
