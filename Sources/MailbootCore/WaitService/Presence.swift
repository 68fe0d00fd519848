/// Whether something is there, told by systemd state by state: that it *is* there is told again and again, that it *comes* is news.
public struct Presence: Equatable, Sendable {
  public private(set) var isThere: Bool

  public init(isThere: Bool = false) { self.isThere = isThere }

  /// Takes in what was told of its unit; nil: nothing of this state.
  /// - Returns: whether it has come just now.
  public mutating func comes(with activeState: String?) -> Bool {
    guard let activeState else { return false }
    defer { isThere = activeState == "active" }
    return activeState == "active" && !isThere
  }
}
