/// What lies on what in an open LUKS vault, with sizes in bytes, lowest first.
public struct VaultLayers: Equatable, Sendable {
  public enum Container: Equatable, Sendable {
    case file
    /// With how far it could reach, bytes, if nothing is moved.
    case partition(room: UInt64)
    /// A disk, a logical volume: somebody else makes it larger.
    case device
  }
  public var container: Container
  public var containerBytes: UInt64
  /// What the kernel shows of a file as a device; nil: no loop device.
  public var loopBytes: UInt64?
  public var mappingBytes: UInt64
  public var fileSystemBytes: UInt64
  /// Where the data begins in the container; 0 with a detached header.
  public var dataOffset: UInt64
  /// The mapping is a multiple of it.
  public var sectorSize: UInt64

  public init(
    container: Container, containerBytes: UInt64, loopBytes: UInt64?, mappingBytes: UInt64, fileSystemBytes: UInt64,
    dataOffset: UInt64, sectorSize: UInt64
  ) {
    self.container = container
    self.containerBytes = containerBytes
    self.loopBytes = loopBytes
    self.mappingBytes = mappingBytes
    self.fileSystemBytes = fileSystemBytes
    self.dataOffset = dataOffset
    self.sectorSize = sectorSize
  }

  /// A file system may leave that much unused at its end: too little for another of its groups.
  static let slack: UInt64 = 64 << 20

  /// How large the mapping over a container would be.
  func mapping(over container: UInt64) -> UInt64 {
    container <= dataOffset ? 0 : (container - dataOffset) / sectorSize * sectorSize
  }
}

/// One step of growing. Each may be repeated: it makes its layer as large as the one below is by then.
public enum GrowStep: Equatable, Sendable {
  /// To that many bytes.
  case extendFile(UInt64)
  case extendPartition(UInt64)
  case loopDevice
  case mapping
  case fileSystem

  public var words: String {
    switch self {
    case .extendFile(let bytes): "extend the file to \(ByteCount.text(bytes))"
    case .extendPartition(let bytes): "extend the partition to \(ByteCount.text(bytes))"
    case .loopDevice: "tell the loop device"
    case .mapping: "extend the mapping"
    case .fileSystem: "extend the file system"
    }
  }
}

public enum GrowRefusal: Error, Equatable, Sendable {
  case smaller(now: UInt64)
  /// The partition cannot reach so far.
  case noRoom(most: UInt64)
  /// The container is not ours to make larger.
  case notOurs(now: UInt64)
  /// A file takes any size: one has to be named.
  case nothingSaid
}

extension VaultLayers {
  /// The steps from here to `wanted` bytes of container; nil: as far as there is room already. What an earlier run has left undone is
  /// among them. Empty: nothing is to be done.
  public func steps(to wanted: UInt64?) throws(GrowRefusal) -> [GrowStep] {
    var steps: [GrowStep] = []
    var target = containerBytes
    if let wanted {
      if wanted < containerBytes { throw .smaller(now: containerBytes) }
      // Whole sectors of 4 KiB: a loop device drops what is over.
      target = wanted / 4096 * 4096
    }
    switch container {
    case .file:
      if target > containerBytes { steps.append(.extendFile(target)) }
    case .partition(let room):
      if wanted == nil { target = max(room, containerBytes) }
      if target > max(room, containerBytes) { throw .noRoom(most: max(room, containerBytes)) }
      // Less than that is what tools leave for alignment.
      if target >= containerBytes + (1 << 20) {
        steps.append(.extendPartition(target))
      } else {
        target = containerBytes
      }
    case .device:
      if target > containerBytes { throw .notOurs(now: containerBytes) }
      target = containerBytes
    }
    target = max(target, containerBytes)
    if let loopBytes, target / 512 * 512 > loopBytes { steps.append(.loopDevice) }
    let mapping = mapping(over: target)
    if mapping > mappingBytes { steps.append(.mapping) }
    let final = max(mapping, mappingBytes)
    // A fresh file system may end a little before its device: what a step above has added is always passed on.
    if !steps.isEmpty || final > fileSystemBytes + Self.slack { steps.append(.fileSystem) }
    if steps.isEmpty, wanted == nil, container == .file { throw .nothingSaid }
    return steps
  }

  /// Which layers are smaller than the one below, as a cut run leaves them.
  public var unfinished: [String] {
    var words: [String] = []
    if let loopBytes, containerBytes / 512 * 512 > loopBytes {
      words.append("the loop device has \(ByteCount.text(loopBytes)) of the file's \(ByteCount.text(containerBytes))")
    }
    if mapping(over: loopBytes ?? containerBytes) > mappingBytes {
      words.append(
        "the mapping has \(ByteCount.text(mappingBytes)) of \(ByteCount.text(mapping(over: containerBytes)))")
    }
    if mappingBytes > fileSystemBytes + Self.slack {
      words.append(
        "the file system has \(ByteCount.text(fileSystemBytes)) of the mapping's \(ByteCount.text(mappingBytes))")
    }
    return words
  }
}
