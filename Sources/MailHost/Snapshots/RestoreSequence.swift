/// In which order things are put back, and who is told when.
public enum RestoreSequence {
  /// Puts all back, one after the other. Whoever has to read one of them anew is told also when a later one fails: the next call finds what
  /// was put back as it is to be, and tells nobody.
  ///
  /// - Parameters:
  ///   - write: puts one back.
  ///   - tell: asked to tell each reader once.
  /// - Throws: the first failure; what failed first ends the putting back, a reader who cannot be told does not.
  public static func run<Failure: Error>(
    _ entries: [SnapshotEntry], write: (_ index: Int) throws(Failure) -> Void,
    tell: (HostFile.Reader) throws(Failure) -> Void
  ) throws(Failure) {
    var failure: Failure?
    func attempt(_ reader: HostFile.Reader) {
      do throws(Failure) {
        try tell(reader)
      } catch {
        failure = failure ?? error
      }
    }
    var hasKeys = false
    for (index, entry) in entries.enumerated() {
      do throws(Failure) {
        try write(index)
      } catch {
        failure = failure ?? error
        break
      }
      if entry.part == .keys { hasKeys = true }
      // They have the file open that is none any more; of one whose contents were replaced dovecot 2.4 fails one query of each process.
      if entry.name == SnapshotPlaces.database {
        for reader in [HostFile.Reader.dovecot, .postfix] { attempt(reader) }
      }
    }
    if hasKeys { attempt(.rspamd) }
    if let failure { throw failure }
  }
}
