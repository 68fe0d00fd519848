/// Whether all that is in one vault has room in another.
public struct MoveRoom: Equatable, Sendable {
  /// How much of a file system is taken, or can be.
  public struct Amount: Equatable, Sendable {
    public var bytes: UInt64
    /// Of files, directories and all else that has an inode; nil: bytes alone are the limit.
    public var inodes: UInt64?

    public init(bytes: UInt64, inodes: UInt64?) {
      self.bytes = bytes
      self.inodes = inodes
    }
  }

  /// What is in the vault in use.
  public var content: Amount
  /// What the new one takes, with what an earlier copy has put there.
  public var room: Amount
  /// Bytes that are to stay free.
  public var reserve: UInt64

  /// - Parameter sharesHost: the new one lies in the host's own file system, which stops more than mail when it is full.
  public init(content: Amount, room: Amount, sharesHost: Bool) {
    self.content = content
    self.room = room
    // The same files take other blocks there, checksums of gocryptfs among them, and mail arrives meanwhile.
    reserve = content.bytes / 20 + (sharesHost ? 64 << 20 : 16 << 20)
  }

  /// What is wrong, in figures; nil: there is room.
  public var shortage: String? {
    if room.bytes < content.bytes + reserve {
      // Sizes that hardly differ must not read the same.
      return "the new vault is too small: \(content.bytes >> 20) MiB are in the one in use,"
        + " \((content.bytes + reserve) >> 20) MiB are needed with a reserve, and it takes \(room.bytes >> 20) MiB"
    }
    guard let wanted = content.inodes, let most = room.inodes, most < wanted + wanted / 20 else { return nil }
    return "the new vault takes too few files: \(wanted) files and directories are in the one in use,"
      + " \(wanted + wanted / 20) are needed with a reserve, and it takes \(most)"
  }
}
