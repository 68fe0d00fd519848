import MailbootCore
import Systemd

/// Takes what happens.
public typealias EventSink = (JournalEvent) -> Void

/// Writes an event into the journal. Without a journal it is lost, and nothing is held up.
public func writeToJournal(_ event: JournalEvent) {
  JournalEntry(
    event.message, priority: JournalPriority(rawValue: event.priority.rawValue) ?? .notice,
    messageID: event.kind.messageID, fields: event.fields
  ).write()
}
