import MailbootCore

/// One thing that is wrong, and what to do about it.
struct Problem: Error, Equatable {
  /// A clause for one line, naming the file or row.
  var detail: String
  /// A command to run or a sentence; nil when there is nothing better to say than the detail.
  var hint: String?

  init(_ detail: String, hint: String? = nil) {
    self.detail = detail
    self.hint = hint
  }
}

extension Finding {
  /// Unsound when there are problems: the first few in one line, and the first hint there is.
  init(_ check: CheckName, problems: [Problem], otherwise sound: String) {
    guard !problems.isEmpty else {
      self.init(check, sound: true, detail: sound)
      return
    }
    let shown = problems.prefix(3).map(\.detail).joined(separator: "; ")
    let more = problems.count > 3 ? "; and \(problems.count - 3) more" : ""
    self.init(
      check, sound: false, detail: printable(shown + more, limit: 500),
      hint: problems.compactMap(\.hint).first)
  }
}
