import CLinux
import Glibc
import Linux
import MailbootCore
import SecretMemory
import Systemd

/// The service in wait mode, as `mailboot` at a terminal sees it: it is handed the passphrase and does the work.
public final class WaitServiceClient {
  private let endpoint: BusEndpoint
  /// The connection that has the name, and is root's.
  private let owner: String
  /// Messages before signals and the passphrase get their turn: anybody may send us some without end.
  private static let mostAtOnce = 64

  /// Nil when the service does not run, or its name on the bus has somebody who is not root.
  public init?() {
    do {
      endpoint = try BusEndpoint()
      guard let owner = try endpoint.owner(of: WaitService.name), try endpoint.peer(of: owner).uid == 0 else {
        return nil
      }
      self.owner = owner
    } catch {
      // Whoever is root does the work without it.
      return nil
    }
  }

  /// Whether the service takes calls: one that is flooded, stopped or hangs does not within a few seconds.
  func answers(within seconds: Double, _ reactor: Reactor) throws(Failure) -> Bool {
    let question = try? endpoint.send(
      owner, WaitService.path, "org.freedesktop.DBus.Properties", "Get",
      [.string(WaitService.interface), .string("Version")], timeoutMicroseconds: UInt64(seconds * 1e6))
    guard let question else { return false }
    while true {
      do throws(BusError) {
        for _ in 0..<Self.mostAtOnce {
          guard let message = try endpoint.nextMessage() else { break }
          if case .reply(question, let result) = message { return (try? result.get()) != nil }
        }
      } catch {
        return false
      }
      var entries = [pollfd(fd: endpoint.descriptor, events: endpoint.pollEvents(), revents: 0)]
      try reactor.wait(&entries, until: endpoint.timeoutMicroseconds().map { Double($0) / 1e6 })
    }
  }

  enum Outcome {
    case done(UnlockSummary)
    /// The service has gone meanwhile; what it has begun goes on.
    case left
  }

  /// Has the service unlock, and shows how that goes.
  ///
  /// Ctrl-C has the run take back what it did, a second one leaves it to that; the end of the terminal does not concern it.
  /// - Parameter passphrase: empty when there is nothing to open.
  func unlock(
    _ passphrase: borrowing SecretBytes, source: UnlockSource, start: Bool, timeout: Int?, reactor: Reactor,
    report: (Progress) -> Void, warn: (String) -> Void
  ) throws(Failure) -> Outcome {
    var ends: [Int32] = [-1, -1]
    guard mb_pipe_cloexec(&ends) == 0 else { throw .system("pipe: \(errnoText())") }
    var pipe = PassphrasePipe(writing: ends[1])
    let cookie: BusEndpoint.Cookie
    do throws(BusError) {
      defer { close(ends[0]) }
      var options: [String: BusValue] = ["via": .string(source.rawValue)]
      if !start { options["no-start"] = .bool(true) }
      if let timeout { options["timeout"] = .uint32(UInt32(timeout)) }
      cookie = try endpoint.send(
        owner, WaitService.path, WaitService.interface, "Unlock", [.descriptor(ends[0]), .dictionary(options)],
        timeoutMicroseconds: .max)
    } catch {
      throw Failure(error)
    }
    var answer = Answer(cookie: cookie)
    var interruption: Failure?
    while true {
      do throws(BusError) {
        for _ in 0..<Self.mostAtOnce {
          guard let message = try endpoint.nextMessage() else { break }
          try handle(message, &answer, report, warn)
        }
      } catch {
        return .left
      }
      if let failure = answer.refusal {
        if let interruption { throw interruption }
        if failure.isNoReply || failure.name == WaitService.left { return .left }
        throw refusal(failure, answer.result, passphrase)
      }
      if answer.isComplete {
        guard case .done(let summary)? = answer.result else {
          throw .system("the service has answered without a result")
        }
        return .done(summary)
      }
      pipe.write(passphrase)
      var entries = [pollfd(fd: endpoint.descriptor, events: endpoint.pollEvents(), revents: 0)]
      if pipe.isOpen { entries.append(pollfd(fd: pipe.descriptor, events: Int16(POLLOUT), revents: 0)) }
      do throws(Failure) {
        try reactor.wait(&entries, until: endpoint.timeoutMicroseconds().map { Double($0) / 1e6 })
      } catch .interrupted(let signal) {
        if signal == SIGHUP { throw .interrupted(signal: signal) }
        guard interruption == nil else {
          warn("left to the service, which takes back what was done; `mailboot status` says how far it is")
          throw .interrupted(signal: signal)
        }
        interruption = .interrupted(signal: signal)
        report(.note("the service is asked to take it back; Ctrl-C once more leaves it to that"))
        cancel()
        reactor.listenAgain()
      }
    }
  }

  private struct Answer {
    let cookie: BusEndpoint.Cookie
    /// The last line of the run.
    var result: RunMessage?
    var isComplete = false
    var refusal: BusError?
  }

  private func handle(
    _ message: BusEndpoint.Message, _ answer: inout Answer, _ report: (Progress) -> Void, _ warn: (String) -> Void
  ) throws(BusError) {
    switch message {
    case .reply(answer.cookie, .success): answer.isComplete = true
    case .reply(answer.cookie, .failure(let error)): answer.refusal = error
    case .signal(let signal) where signal.sender == owner && signal.isSignal(WaitService.interface, "Progress"):
      switch RunMessage(line: try signal.readString()) {
      case .progress(let progress)?: report(progress)
      case .warning(let text)?: warn(text)
      case .done(let summary)?: answer.result = .done(summary)
      case .failed(let failure)?: answer.result = .failed(failure)
      case nil: break
      }
    default: break
    }
  }

  /// The failure in our own words where the run has said more than fits into an error of the bus.
  private func refusal(_ error: BusError, _ result: RunMessage?, _ passphrase: borrowing SecretBytes) -> Failure {
    if case .failed(let report)? = result {
      return report.exitCode == .passphrase
        ? .passphraseRefused(
          tries: 1, empty: passphrase.isEmpty, endsInCarriageReturn: passphrase.endsWithCarriageReturn)
        : .reported(report)
    }
    if error.isAccessDenied { return .notRoot(verb: "unlock") }
    let code = ExitCode.allCases.first { WaitService.errorName($0) == error.name } ?? .failure
    let lines = error.message.split(separator: "\n", maxSplits: 1).map(String.init)
    return .reported(
      FailureReport(
        code: error.name == WaitService.tooSoon ? ExitCode.busy.rawValue : code.rawValue,
        summary: lines.first ?? error.message, evidence: [],
        hint: lines.dropFirst().first.map { $0.hasPrefix("hint: ") ? String($0.dropFirst(6)) : $0 }))
  }

  private func cancel() {
    // If this is lost, the run goes on, and the next signal ends our wait for it.
    _ = try? endpoint.send(owner, WaitService.path, WaitService.interface, "Cancel")
  }
}

/// The writing end of the pipe through which the passphrase goes: a key file may be larger than a pipe takes at once.
private struct PassphrasePipe: ~Copyable {
  private(set) var descriptor: Int32
  private var written = 0
  var isOpen: Bool { descriptor >= 0 }

  init(writing descriptor: Int32) {
    self.descriptor = descriptor
    _ = mb_fcntl_int(descriptor, F_SETFL, O_NONBLOCK)
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// Writes what the pipe takes now; closes it behind the last byte, or when nobody reads any more.
  mutating func write(_ passphrase: borrowing SecretBytes) {
    guard isOpen else { return }
    var done = written
    let target = descriptor
    let ended = passphrase.withUnsafeBytes { bytes in
      while done < bytes.count {
        let count = Glibc.write(target, bytes.baseAddress.map { $0 + done }, bytes.count - done)
        if count > 0 {
          done += count
        } else if errno == EAGAIN {
          return false
        } else if errno != EINTR {
          return true
        }
      }
      return true
    }
    written = done
    guard ended else { return }
    close(descriptor)
    descriptor = -1
  }
}
