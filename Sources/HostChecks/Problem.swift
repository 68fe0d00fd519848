import MailbootCore

/// One thing that is wrong, how bad it is, and what to do about it.
struct Problem: Error, Equatable {
  var kind: FindingKind
  /// A clause for one line, naming the file or row.
  var detail: String
  /// A command to run or a sentence; nil when there is nothing better to say than the detail.
  var hint: String?

  init(_ kind: FindingKind, _ detail: String, hint: String? = nil) {
    self.kind = kind
    self.detail = detail
    self.hint = hint
  }
}

extension Finding {
  /// As bad as the worst problem: the first few in one line, the worst first, and the first hint there is.
  init(_ check: CheckName, problems: [Problem], otherwise sound: String) {
    let sorted =
      problems.filter { $0.kind.grade == .fatal } + problems.filter { $0.kind.grade != .fatal }
    guard let worst = sorted.first else {
      self.init(sound: check, sound)
      return
    }
    let shown = sorted.prefix(3).map(\.detail).joined(separator: "; ")
    let more = sorted.count > 3 ? "; and \(sorted.count - 3) more" : ""
    self.init(worst.kind, printable(shown + more, limit: 500), hint: sorted.compactMap(\.hint).first)
  }
}

/// Why a file cannot be read. What that means depends on whose file it is.
struct FileProblem: Error, Equatable {
  var detail: String
  var isMissing = false

  /// As a problem of that kind.
  func problem(_ kind: FindingKind, hint: String? = nil) -> Problem { Problem(kind, detail, hint: hint) }
}
