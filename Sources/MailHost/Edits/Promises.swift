import MailbootCore

/// A line of the administrator's own that takes back something the mail host promises.
public struct BrokenPromise: Equatable, Sendable, CustomStringConvertible {
  public var origin: Origin
  /// `smtpd_sasl_auth_enable = yes`, for master.cf with the service before it.
  public var line: String
  /// What becomes of it.
  public var consequence: String

  public var description: String { "\(origin.file):\(origin.line): \(line): \(consequence)" }
}

/// Which lines of the administrator's own defeat a promise. They are obeyed all the same: they are the administrator's.
public enum Promises {
  /// In the order of the settings.
  public static func warnings(_ own: HostSettings.Own) -> [BrokenPromise] {
    let main = own.main.reduce(into: [:]) { $0[$1.name] = $1.value }
    /// A value that only names another parameter means that one's.
    func meaning(_ line: HostSettings.Own.Line) -> String {
      guard line.value.hasPrefix("$") else { return line.value }
      let name = line.value.dropFirst().filter { !"{}()".contains($0) }
      return main[name] ?? PromiseRules.ours[name] ?? line.value
    }
    func broken(_ line: HostSettings.Own.Line, in service: String?, _ consequence: String) -> BrokenPromise {
      let shown = "\(line.name) = \(line.value)"
      return BrokenPromise(
        origin: line.origin, line: service.map { "\($0): \(shown)" } ?? shown, consequence: consequence)
    }
    var found = own.main.compactMap { line in
      PromiseRules.main(line.name, meaning(line)).map { broken(line, in: nil, $0) }
    }
    for (name, lines) in own.master.sorted(by: { $0.key < $1.key }) {
      if ["submission", "submissions"].contains(name) {
        found += lines.compactMap { line in
          PromiseRules.submission(line.name, meaning(line)).map { broken(line, in: name, $0) }
        }
        continue
      }
      let options = lines.reduce(into: [:]) { $0[$1.name] = meaning($1) }
      found += lines.compactMap { line in
        PromiseRules.service(line.name, meaning(line), options).map { broken(line, in: name, $0) }
      }
    }
    return found
  }
}
