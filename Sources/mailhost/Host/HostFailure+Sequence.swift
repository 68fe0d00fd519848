import MailHost

extension HostFailure {
  /// How a sequence of steps failed, and what became of what it had done.
  /// - Parameter hint: what to do when that could not be taken back either.
  init<Ports>(_ error: ApplySequence<Ports>.Failed, hint: String) where Ports.Fault == HostFailure {
    switch error {
    case .refused(let step, let failure):
      self = failure
      texts[0] = "\(step.description): \(texts[0])"
      texts.append("nothing that mail depends on was changed")
    case .takenBack(let step, let failure, let after):
      self = failure
      texts[0] = "\(step.description): \(texts[0])"
      if let after {
        texts.append("and the way back failed, too: \(after.texts.joined(separator: "; "))")
        self.hint = hint
      } else {
        texts.append("the files are as before")
      }
    }
  }
}
