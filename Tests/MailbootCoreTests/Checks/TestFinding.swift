@testable import MailbootCore

extension Finding {
  /// Of no kind in particular: what is not sound is fatal.
  init(_ check: CheckName, sound: Bool, detail: String, hint: String? = nil) {
    self.init(check, grade: sound ? .sound : .fatal, kind: nil, detail: detail, hint: hint)
  }

  init(_ check: CheckName, grade: Grade) { self.init(check, grade: grade, kind: nil, detail: "seen") }
}
