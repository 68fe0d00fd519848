import ArgumentParser
import CLinux
import Console
import Glibc
import Linux
import MailbootCore
import MailbootHost
import SecretMemory

/// Where the verbs of `mailboot vault` have a passphrase from that opens the vault.
struct KeyOptions: ParsableArguments {
  @Flag(
    help: "Read the passphrases from standard input, one in each line, in the order in which they would be asked for.")
  var stdin = false
  @Option(
    help: ArgumentHelp(
      "Read the passphrase that opens the vault from this file: exact bytes, at most 8 MiB.", valueName: "file"))
  var keyFile: String?
}

/// Where they have a new one from.
struct NewKeyOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp("Read the new passphrase from this file: exact bytes, at most 8 MiB.", valueName: "file"))
  var newKeyFile: String?
}

/// Asks for the passphrases of one verb, each in its turn.
struct VaultSecrets {
  private let key: KeyOptions
  private let newKeyFile: String?
  private let reactor: Reactor

  init(_ key: KeyOptions, new: NewKeyOptions? = nil, _ reactor: Reactor) {
    self.key = key
    newKeyFile = new?.newKeyFile
    self.reactor = reactor
  }

  /// One that opens the vault.
  func existing(_ prompt: String = "Passphrase of the vault: ") throws(Failure) -> SecretBytes {
    if let file = key.keyFile { return try readFile(file) }
    return try typed(prompt)
  }

  /// A new one: at a terminal asked for twice.
  func new(_ prompt: String = "New passphrase: ") throws(Failure) -> SecretBytes {
    if let newKeyFile {
      let read = try readFile(newKeyFile)
      if read.isEmpty { throw .passphraseRefused(tries: 0, empty: true, endsInCarriageReturn: false) }
      if read.withUnsafeBytes({ $0.contains(UInt8(ascii: "\n")) }) {
        tell("warning: the passphrase has a line break in it: nobody can type it, only a key file has it")
      }
      return read
    }
    let first = try typed(prompt)
    if first.isEmpty { throw .passphraseRefused(tries: 0, empty: true, endsInCarriageReturn: false) }
    for advice in first.withUnsafeBytes(PassphraseAdvice.about) { tell("warning: the passphrase: \(advice.text)") }
    guard !key.stdin else { return first }
    let second = try typed("The same once more: ")
    guard first.isSame(as: second) else {
      throw .usage("the two were not the same: nothing has been changed", hint: "try again")
    }
    return first
  }

  /// The next line of standard input, or what a person types.
  private func typed(_ prompt: String) throws(Failure) -> SecretBytes {
    if key.stdin { return try line() }
    guard isatty(0) == 1 else {
      throw .usage(
        "there is no terminal to ask for the passphrase", hint: "give it with `--stdin` or `--key-file FILE`")
    }
    let answer: TerminalPrompt.Answer
    do {
      answer = try TerminalPrompt().ask(prompt: prompt, signals: reactor.signalDescriptor)
    } catch {
      throw .usage("\(error)", hint: "give the passphrase with `--stdin` or `--key-file FILE`")
    }
    switch consume answer {
    case .secret(let secret): return secret
    case .interrupted(let signal): throw .interrupted(signal: signal)
    case .endOfInput: throw .interrupted(signal: SIGINT)
    case .withdrawn: throw .interrupted(signal: SIGINT)
    }
  }

  private func line() throws(Failure) -> SecretBytes {
    do {
      return try readSecretLine(from: 0, limit: TerminalPrompt.limit, signals: reactor.signalDescriptor)
    } catch .interrupted(let signal) {
      throw .interrupted(signal: signal)
    } catch {
      throw .usage("--stdin: \(error)", hint: nil)
    }
  }

  private func readFile(_ path: String) throws(Failure) -> SecretBytes {
    do throws(Failure) {
      switch try SecretSource(.keyFile(path), reactor: reactor).ask(attempt: 1, stillWanted: { true }) {
      case .secret(let secret): return secret
      default: throw .usage("the key file \(path) cannot be read", hint: nil)
      }
    } catch .usage(let what, _) {
      // What an unlock is told to do instead these verbs have not.
      throw .usage(what, hint: "name a regular file, or give the passphrase with `--stdin`, a line for each")
    }
  }
}
