import ArgumentParser
import CLinux
import Glibc
import Linux
import MailAccounts
import MailbootCore
import SecretMemory

/// The arguments and options of a verb that sets a password.
struct NewPasswordOptions: ParsableArguments {
  @Argument(help: "Others can see it in the process list: better leave it out.")
  var password: String?
  @Flag(help: "Read the password from standard input; one newline at its end is dropped.")
  var stdin = false
  @Flag(help: "Make a password and print it, alone on the first line.")
  var generate = false
  @OptionGroup var scheme: SchemeOption
}

/// Where a new password comes from.
enum PasswordSource {
  case prompt, standardInput, generated
  case argument(String)

  init(_ options: NewPasswordOptions, dryRun: Bool) throws(Failure) {
    let ways = [options.password != nil, options.stdin, options.generate]
    guard ways.count(where: { $0 }) <= 1 else {
      throw .usage(
        "the password comes from one place only", hint: "an argument, --stdin and --generate exclude each other")
    }
    if let text = options.password {
      guard !text.unicodeScalars.contains("\u{FFFD}") else {
        throw .usage("the password is not UTF-8", hint: "mail clients send nothing else")
      }
      wipeArgument(text)
      warn("others can see a password among the arguments in the process list; without it mailcfg asks, or use --stdin")
      self = .argument(text)
    } else if options.stdin {
      self = .standardInput
    } else if options.generate {
      self = .generated
    } else if isatty(0) == 1 {
      self = .prompt
    } else if dryRun {
      // Nobody will need to know it.
      self = .generated
    } else {
      throw .usage("there is no terminal to ask for the password", hint: "use --stdin or --generate")
    }
  }

  /// - Parameter email: whose it will be, for the question.
  func password(for email: String) throws(Failure) -> Password {
    keepOutOfDumps()
    switch self {
    case .prompt: return Password(secret: try askTwice(email), isGenerated: false)
    case .standardInput: return Password(secret: try usable(try readPassword()), isGenerated: false)
    case .generated:
      do {
        return Password(secret: try generatedPassword(), isGenerated: true)
      } catch {
        throw .failed(error.description, hint: nil)
      }
    case .argument(let text): return Password(secret: try usable(try secret(text)), isGenerated: false)
    }
  }

  private func secret(_ text: String) throws(Failure) -> SecretBytes {
    do {
      var secret = try SecretBytes(capacity: max(1, text.utf8.count))
      for byte in text.utf8 { try secret.append(byte) }
      return secret
    } catch {
      throw .failed("\(error)", hint: nil)
    }
  }
}

/// Takes it out of the process list, where it has been seen or not by now.
private func wipeArgument(_ text: String) {
  for index in 1..<max(1, Int(CommandLine.argc)) {
    guard let argument = CommandLine.unsafeArgv[index], String(cString: argument) == text else { continue }
    memset(argument, Int32(UInt8(ascii: "x")), strlen(argument))
  }
}

/// A password passes through this process: no core dump, no debugger of another process of the same user.
func keepOutOfDumps() {
  _ = mb_prctl_set_dumpable(0)
  _ = mb_setrlimit(mb_rlimit_core, 0, 0)
}

/// A password that somebody chose, or that was generated.
struct Password: ~Copyable {
  let secret: SecretBytes
  let isGenerated: Bool

  /// Its hash.
  /// - Parameter given: the scheme of `--scheme`; nil: that of the configuration.
  func hash(_ given: PasswordScheme?, _ host: inout Host) throws(Failure) -> PasswordHash {
    let scheme = try chosenScheme(given, &host)
    return try hashed(secret, scheme)
  }

  /// Alone on the first line of standard output, where a script finds it.
  func showIfGenerated() throws(Failure) {
    guard isGenerated else { return }
    var code: Int32 = 0
    do throws(SecretWriteError) {
      try write(secret, to: 1)
      if Glibc.write(1, "\n", 1) != 1 { code = errno }
    } catch {
      code = error.code
    }
    guard code == 0 else {
      throw .failed(
        "the password was set, but could not be shown: \(errnoText(code))",
        hint: "set another one with \(call: "passwd", "EMAIL")")
    }
  }
}

/// The hash of a password.
func hashed(_ password: borrowing SecretBytes, _ scheme: PasswordScheme) throws(Failure) -> PasswordHash {
  do {
    return try PasswordHash.make(password, scheme: scheme)
  } catch {
    throw failure(error)
  }
}

/// The password from standard input, without the newline at its end.
func readPassword() throws(Failure) -> SecretBytes {
  do {
    return try readSecret(from: 0, limit: TerminalPrompt.limit, dropTrailingNewline: true)
  } catch {
    throw .usage("no password on standard input: \(error)", hint: nil)
  }
}

private func usable(_ secret: consuming SecretBytes) throws(Failure) -> SecretBytes {
  do {
    try requireUsable(secret)
  } catch {
    throw failure(error)
  }
  return secret
}

private func failure(_ error: PasswordError) -> Failure {
  switch error {
  case .hashingFailed, .noRandomness, .memory: .failed(error.description, hint: nil)
  case .tooLongForScheme: .usage(error.description, hint: "--scheme ARGON2ID takes longer ones")
  case .empty, .tooLong, .containsNUL, .containsControlCharacter, .notUTF8: .usage(error.description, hint: nil)
  }
}
