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
  /// Monotonic seconds.
  private var began = -Double.infinity

  init(worker: Worker) {
    self.worker = worker
  }

  /// Begins when it is time.
  func begin() {
    let now = Reactor.monotonic()
    guard child == nil, now >= began + Self.interval else { return }
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
    // Not waited for: what hangs in the kernel cannot be ended.
    child.leave()
    self.child = nil
    return .unknown
  }

  func abandon() { child?.leave() }
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
