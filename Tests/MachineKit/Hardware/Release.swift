/// A Debian release for which there is a disposable machine.
public enum Release: String, Sendable, CaseIterable {
  case debian12 = "12"
  case debian13 = "13"

  /// For people.
  public var name: String { "Debian \(rawValue)" }
}
