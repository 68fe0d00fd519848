import JSON
import Text

/// What is to be saved of a host, as text and as JSON.
public struct SavedPathReport: Sendable {
  public var save: [SavedPath]
  public var leaveOut: [SavedPath]
  public var vault: SavedPathFacts.VaultSource
  /// The vault's mount point.
  public var mount: String
  public var isOpen: Bool
  /// Of the paths to save, which are there. Those in a closed vault and those that cannot be seen are in none of them.
  public var present: Set<String>
  public var absent: Set<String>

  public init(
    save: [SavedPath], leaveOut: [SavedPath], vault: SavedPathFacts.VaultSource, mount: String, isOpen: Bool,
    present: Set<String> = [], absent: Set<String> = []
  ) {
    self.save = save
    self.leaveOut = leaveOut
    self.vault = vault
    self.mount = mount
    self.isOpen = isOpen
    self.present = present
    self.absent = absent
  }

  /// Version 1 of the contract. Fields that do not apply are null.
  public func json() -> JSONText {
    .object([
      ("schema", .integer(1)),
      (
        "vault",
        .object([
          ("type", .string(vault.type)), ("mount", .string(mount)), ("open", .bool(isOpen)),
          ("how", .optional(vault.hint)),
        ])
      ),
      ("save", .array(save.map { json(of: $0, note: "how", presence: true) })),
      ("leave_out", .array(leaveOut.map { json(of: $0, note: "why", presence: false) })),
    ])
  }

  private func json(of path: SavedPath, note: String, presence: Bool) -> JSONText {
    var members: [(String, JSONText)] = [
      ("path", .string(path.path)), ("what", .string(path.what)), ("in_vault", .bool(path.isInVault)),
      (note, .string(path.note)),
    ]
    if presence {
      members.append(
        (
          "there",
          present.contains(path.path) ? .bool(true) : absent.contains(path.path) ? .bool(false) : .null
        ))
    }
    return .object(members)
  }

  /// One line of the text, to be wrapped by whoever knows the width.
  public struct Line: Equatable, Sendable {
    public var text: String
    /// Columns that its further lines begin with.
    public var indent: Int
  }

  public func lines() -> [Line] {
    var lines: [Line] = []
    if let hint = vault.hint {
      let state = isOpen ? "open now" : "locked now: what is in it cannot be saved"
      lines.append(Line(text: "* is in the vault, \(visibleInLine(mount)), which is \(state)", indent: 2))
      lines.append(Line(text: "  " + visibleInLine(hint), indent: 2))
      lines.append(Line(text: "", indent: 0))
    }
    func add(_ title: String, _ paths: [SavedPath]) {
      lines.append(Line(text: title, indent: 0))
      var last: SavedPath?
      for path in paths {
        // What is told of several in a row is told once, below the last of them.
        if let last, last.note != path.note { lines.append(Line(text: "    \(visibleInLine(last.note))", indent: 4)) }
        let mark = path.isInVault ? "*" : " "
        let there = absent.contains(path.path) ? " (not there)" : ""
        lines.append(Line(text: "\(mark) \(visibleInLine(path.path))  \(path.what)\(there)", indent: 4))
        last = path
      }
      if let last { lines.append(Line(text: "    \(visibleInLine(last.note))", indent: 4)) }
    }
    add("save:", save)
    lines.append(Line(text: "", indent: 0))
    add("leave out:", leaveOut)
    return lines
  }
}
