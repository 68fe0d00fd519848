import Glibc
import Linux
import MailbootCore

/// Counts every few minutes the mail that postfix has put off. In a process of its own: the queue may be in a vault that does not answer.
final class QueueWatch {
  /// Seconds between two counts: of ten thousand mails each is opened.
  private static let interval = 300.0
  /// Seconds one count may take.
  private static let patience = 60.0

  private let worker: Worker
  private var child: ChildProcess?
  /// Those that were given up and have not ended yet.
  private var left: [pid_t] = []
  /// Monotonic seconds.
  private var began = -Double.infinity

  init(worker: Worker) {
    self.worker = worker
  }

  /// Begins when it is time.
  func begin() {
    let now = Reactor.monotonic()
    left.removeAll { waitpid($0, nil, WNOHANG) != 0 }
    guard child == nil, left.isEmpty, now >= began + Self.interval else { return }
    began = now
    child = try? worker.begin(.queue, QueueRequest())
  }

  /// What has come of it; nil: nothing yet, or nothing was begun.
  func result() -> QueueReply? {
    guard let child else { return nil }
    if child.pump() {
      self.child = nil
      return (try? worker.reply(QueueReply.self, of: child)) ?? .unknown
    }
    guard Reactor.monotonic() > began + Self.patience else { return nil }
    giveUp()
    return .unknown
  }

  /// Ends a count at once: a run may be about to unmount what is counted in. The next one begins as soon as it may.
  func abandon() {
    if child == nil { return }
    giveUp()
    began = -.infinity
  }

  /// It is not waited for: what hangs in the kernel cannot be ended.
  private func giveUp() {
    guard let child else { return }
    child.leave()
    left.append(child.pid)
    self.child = nil
  }
}

extension WaitService {
  /// Goes with the rounds of probes.
  func takeQueueCount() {
    guard let reply = queue.result() else { return }
    let before = record.queue
    if case .counted(let mail) = reply { record.queue = mail } else { record.queue = nil }
    guard record.queue != before else { return }
    store()
    schedule(.observe)
  }
}
