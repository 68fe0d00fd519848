/// One setting of one file, and why it is as it is.
public struct ExplainedSetting: Equatable, Sendable {
  /// The path of the file on the host.
  public var file: String
  /// Its line in the file as it is written, from 1.
  public var line: Int
  /// The sections that it is in, from the outermost, then its own name: `service lmtp`, `unix_listener /…`, `mode`.
  public var path: [String]
  /// As it is written; of a service of master.cf what follows its name and type; empty where a whole file is one setting.
  public var value: String
  public var reason: Reason

  /// All of `path`: what `mailhost explain` takes for just this one.
  public var name: String { path.joined(separator: "/") }
}

/// What stands above a setting in its template.
public struct Reason: Equatable, Sendable {
  /// Sentences; empty: nobody has given a reason.
  public var text = ""
  /// From which version of the daemon on; nil: in all that files are rendered for.
  public var since: String?
  /// The names of what `mailhost test` looks at.
  public var proofs: [String] = []
  /// What a note has that is none of these.
  public var unknownNotes: [String] = []

  public init(text: String = "", since: String? = nil, proofs: [String] = []) {
    self.text = text
    self.since = since
    self.proofs = proofs
  }

  /// Takes a note: `since: 3.9; proof: signed, gtube`.
  mutating func take(note: Substring) {
    for part in note.split(separator: ";") {
      let pair = part.split(separator: ":", maxSplits: 1).map(trimmed)
      switch (pair.first, pair.count) {
      case ("since", 2): since = pair[1] == "any" ? nil : pair[1]
      case ("proof", 2): proofs += pair[1].split(separator: ",").map(trimmed)
      default: unknownNotes.append(trimmed(part))
      }
    }
  }

  /// Takes a line of a comment, without its `#`.
  mutating func take(comment: Substring) {
    let words = trimmed(comment)
    text += (text.isEmpty || words.isEmpty ? "" : " ") + words
  }
}
