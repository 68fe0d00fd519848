import CLinux
import Console
import Glibc
import Linux
import SecretMemory
import Text

/// Where the passphrase of a snapshot comes from: the terminal, or standard input.
struct PassphraseQuestion {
  let fromStandardInput: Bool

  /// Of a snapshot that is there.
  func passphrase() throws(HostFailure) -> SecretBytes {
    if fromStandardInput { return try read() }
    return try ask("Passphrase of the snapshot: ")
  }

  /// Asks until both answers are the same, three times at most.
  func newPassphrase() throws(HostFailure) -> SecretBytes {
    if fromStandardInput {
      let secret = try read()
      if secret.isEmpty { throw HostFailure(.usage, "the passphrase on standard input is empty") }
      return secret
    }
    for _ in 0..<3 {
      let first = try ask("New passphrase for the snapshot: ")
      if first.isEmpty {
        tell("it is empty")
        continue
      }
      if first.count < 12 {
        tell("warning: short: whoever has the file can try all short ones, on many machines at once")
      }
      let second = try ask("Once more: ")
      if first.isSame(as: second) { return first }
      tell("these were different")
    }
    throw HostFailure(.failed, "no passphrase after three tries; nothing was written")
  }

  private func read() throws(HostFailure) -> SecretBytes {
    do throws(SecretReadError) {
      return try readSecret(from: 0, limit: TerminalPrompt.limit, dropTrailingNewline: true)
    } catch {
      throw HostFailure(.usage, "no passphrase on standard input: \(error)")
    }
  }

  private func ask(_ question: String) throws(HostFailure) -> SecretBytes {
    let signals = TerminalSignals()
    defer { signals.end() }
    let answer: TerminalPrompt.Answer
    do throws(TerminalError) {
      answer = try TerminalPrompt().ask(prompt: question, signals: signals.descriptor)
    } catch {
      throw HostFailure(
        .usage, "\(error)", hint: "`--stdin` takes the passphrase from standard input; see also --recipient, --identity"
      )
    }
    switch consume answer {
    case .secret(let secret): return secret
    case .interrupted: throw HostFailure(.interrupted, "interrupted; nothing was changed")
    case .endOfInput: throw HostFailure(.failed, "no passphrase was given; nothing was changed")
    case .withdrawn: throw HostFailure(.failed, "no passphrase was given; nothing was changed")
    }
  }
}

/// A passphrase or a key passes through this process: no core dump, no debugger of another process of the same user.
func keepOutOfDumps() {
  _ = mb_prctl_set_dumpable(0)
  _ = mb_setrlimit(mb_rlimit_core, 0, 0)
}
