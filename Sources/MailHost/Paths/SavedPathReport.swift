import JSON
import Text

/// What is to be saved of a host, as text and as JSON.
public struct SavedPathReport: Sendable {
  public var save: [SavedPath]
  public var leaveOut: [SavedPath]
  /// All of them, the mail host's first.
  public var vaults: [SavedPathFacts.Vault]
  /// The names of those that are open.
  public var open: Set<String>
  /// Of the paths to save, which are there. Those in a closed vault and those that cannot be seen are in none of them.
  public var present: Set<String>
  public var absent: Set<String>

  public init(
    save: [SavedPath], leaveOut: [SavedPath], vaults: [SavedPathFacts.Vault], open: Set<String>,
    present: Set<String> = [], absent: Set<String> = []
  ) {
    self.save = save
    self.leaveOut = leaveOut
    self.vaults = vaults
    self.open = open
    self.present = present
    self.absent = absent
  }

  /// Version 1 of the contract. Fields that do not apply are null.
  public func json() -> JSONText {
    .object([
      ("schema", .integer(1)),
      ("vault", vaults.first.map(json(of:)) ?? .null), ("vaults", .array(vaults.map(json(of:)))),
      ("save", .array(save.map { json(of: $0, note: "how", presence: true) })),
      ("leave_out", .array(leaveOut.map { json(of: $0, note: "why", presence: false) })),
    ])
  }

  private func json(of vault: SavedPathFacts.Vault) -> JSONText {
    .object([
      ("name", .string(vault.name)), ("type", .string(vault.source.type)), ("mount", .string(vault.mount)),
      ("open", .bool(open.contains(vault.name))), ("how", .optional(vault.source.hint)),
    ])
  }

  private func json(of path: SavedPath, note: String, presence: Bool) -> JSONText {
    var members: [(String, JSONText)] = [
      ("path", .string(path.path)), ("what", .string(path.what)), ("in_vault", .bool(path.vault != nil)),
      ("vault", .optional(path.vault)),
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
    for vault in vaults {
      guard let hint = vault.source.hint else { continue }
      let state = open.contains(vault.name) ? "open now" : "locked now: what is in it cannot be saved"
      let name = vaults.count > 1 ? " " + vault.name : ""
      lines.append(Line(text: "* is in the vault\(name), \(visibleInLine(vault.mount)), which is \(state)", indent: 2))
      lines.append(Line(text: "  " + visibleInLine(hint), indent: 2))
      lines.append(Line(text: "", indent: 0))
    }
    func add(_ title: String, _ paths: [SavedPath]) {
      lines.append(Line(text: title, indent: 0))
      var last: SavedPath?
      for path in paths {
        // What is told of several in a row is told once, below the last of them.
        if let last, last.note != path.note { lines.append(Line(text: "    \(visibleInLine(last.note))", indent: 4)) }
        let mark = path.vault != nil ? "*" : " "
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
