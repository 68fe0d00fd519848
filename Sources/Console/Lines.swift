import Linux

/// Writes all of it, whatever the descriptor does. A reader that has gone is not our trouble.
public func emit(_ text: String, to descriptor: Int32) { _ = writeAll(text.utf8, to: descriptor) }

/// A line of results.
public func say(_ line: String) { emit(line + "\n", to: 1) }
/// A line of messages.
public func tell(_ line: String) { emit(line + "\n", to: 2) }
