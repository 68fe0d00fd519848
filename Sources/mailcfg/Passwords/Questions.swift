import Console
import MailAccounts
import MailbootCore
import SecretMemory
import Text

/// Asks for a new password until both answers are the same, three times at most.
func askTwice(_ email: String) throws(Failure) -> SecretBytes {
  for _ in 0..<3 {
    let first = try ask("New password for \(visibleInLine(email)): ")
    do {
      try requireUsable(first)
    } catch {
      tell(visible(error.description))
      continue
    }
    let second = try ask("Once more: ")
    if first.withUnsafeBytes({ one in second.withUnsafeBytes { isEqualInConstantTime(one, $0) } }) { return first }
    tell("these were different")
  }
  throw .failed("no password after three tries", hint: nil)
}

/// Asks for a password once.
func ask(_ question: String) throws(Failure) -> SecretBytes {
  let signals = TerminalSignals()
  defer { signals.end() }
  do {
    switch try TerminalPrompt().ask(prompt: question, signals: signals.descriptor) {
    case .secret(let secret): return secret
    case .endOfInput: throw Failure.failed("no password was given", hint: nil)
    case .interrupted: throw Failure.interrupted
    case .withdrawn: throw Failure.failed("no password was given", hint: nil)
    }
  } catch let failure as Failure {
    throw failure
  } catch {
    throw .usage("\(error)", hint: "use --stdin or --generate")
  }
}

/// Asks something to be answered with y; anything else is no. Nil: there is nobody to ask.
func confirm(_ question: String) throws(Failure) -> Bool? {
  switch confirmation(of: question) {
  case .yes: true
  case .no: false
  case .nobodyThere: nil
  case .noTerminal: throw .usage("there is no /dev/tty to ask at", hint: "`--yes` says it beforehand")
  case .interrupted: throw .interrupted
  }
}
