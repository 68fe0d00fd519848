import CLinux
import Console
import Glibc
import Linux
import MailHost
import SecretMemory

/// The password of the login at the mail host: asked for, and written into a file for root alone.
struct RelayPassword {
  /// Whether the file is there, for this login at this host, and for root alone.
  static func isThere(_ settings: RelaySettings) throws(HostFailure) -> Bool {
    let path = settings.passwordPath
    let descriptor = mb_open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0)
    guard descriptor >= 0 else {
      if errno == ENOENT { return false }
      throw HostFailure(.failed, "\(path): \(errnoText())")
    }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, mb_s_isreg(status.st_mode) != 0, status.st_uid == 0,
      status.st_mode & 0o077 == 0
    else { return false }
    // Only what stands before the password is read.
    let wanted = Array(settings.passwordPrefix.utf8)
    var bytes = [UInt8](repeating: 0, count: wanted.count)
    let count = bytes.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
    return count == wanted.count && bytes == wanted && status.st_size > wanted.count + 1
  }

  /// Asks at the terminal, or takes it from standard input where that is none.
  static func ask(_ settings: RelaySettings) throws(HostFailure) -> SecretBytes {
    let secret = isatty(0) == 1 ? try askPerson(settings) : try readInput()
    let isUsable = secret.withUnsafeBytes { bytes in
      // A line of a map: white space at its ends would be lost, and a control character is nobody's password.
      !bytes.isEmpty && bytes.allSatisfy { $0 > 0x1F && $0 != 0x7F } && bytes.first != 0x20 && bytes.last != 0x20
    }
    guard isUsable else {
      throw HostFailure(
        .usage, secret.isEmpty ? "no password was given" : "the password has characters that postfix cannot hand on",
        hint: "`printf '%s' PASSWORD | mailhost relay …`, or type it at the terminal")
    }
    return secret
  }

  private static func askPerson(_ settings: RelaySettings) throws(HostFailure) -> SecretBytes {
    let signals = TerminalSignals()
    defer { signals.end() }
    do throws(TerminalError) {
      switch try TerminalPrompt().ask(
        prompt: "Password of \(settings.login) at \(settings.host): ", signals: signals.descriptor)
      {
      case .secret(let secret): return secret
      case .interrupted: throw TerminalError.noTerminal(EINTR)
      case .endOfInput: throw TerminalError.noTerminal(ENODATA)
      case .withdrawn: throw TerminalError.noTerminal(ENODATA)
      }
    } catch {
      if case .noTerminal(EINTR) = error { throw HostFailure(.interrupted, "interrupted, and nothing was changed") }
      if case .noTerminal(ENODATA) = error { throw HostFailure(.failed, "no password was given; nothing was changed") }
      throw HostFailure(.usage, "\(error)", hint: "give the password on standard input")
    }
  }

  private static func readInput() throws(HostFailure) -> SecretBytes {
    do {
      return try readSecret(from: 0, limit: 1024, dropTrailingNewline: true)
    } catch {
      throw HostFailure(.usage, "no password on standard input: \(error)")
    }
  }

  /// Removes the passwords that postfix has no more use for.
  static func dropOthers(_ settings: RelaySettings) throws(HostFailure) {
    // Somebody's own main.cf can name another one.
    let used = Set(
      (readSmallText("/etc/postfix/main.cf") ?? "").split { $0.isWhitespace || $0 == ":" || $0 == "," }.map(String.init)
    )
    for name in listDirectory("/etc/postfix") ?? [] where name.hasPrefix(RelaySettings.passwordName) {
      let path = "/etc/postfix/\(name)"
      guard path != settings.passwordPath, !used.contains(path) else { continue }
      guard unlink(path) == 0 || errno == ENOENT else { throw HostFailure(.failed, "\(path): \(errnoText())") }
    }
  }

  /// Replaces the file in one step.
  static func store(_ secret: borrowing SecretBytes, _ settings: RelaySettings) throws(HostFailure) {
    let path = settings.passwordPath
    let temporary = path + ".new"
    unlink(temporary)
    let descriptor = mb_open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else { throw HostFailure(.failed, "\(temporary): \(errnoText())") }
    defer { close(descriptor) }
    var failure: String?
    do throws(SecretWriteError) {
      if !writeAll(Array(settings.passwordPrefix.utf8), to: descriptor) { failure = errnoText() }
      try write(secret, to: descriptor)
      if !writeAll([0x0A], to: descriptor) { failure = errnoText() }
    } catch {
      failure = "\(error)"
    }
    if failure == nil, fchown(descriptor, 0, 0) != 0 || fsync(descriptor) != 0 || rename(temporary, path) != 0 {
      failure = errnoText()
    }
    if let failure {
      unlink(temporary)
      throw HostFailure(.failed, "\(path): \(failure)")
    }
  }
}
