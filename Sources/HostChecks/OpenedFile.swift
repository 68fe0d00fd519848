import CLinux
import Glibc

/// A regular file, opened for reading: what is looked at afterwards is this file, whatever its path comes to name.
struct OpenedFile: ~Copyable {
  let path: String
  let descriptor: Int32
  let status: stat

  /// With `followingLinks` false the last component must not be a symbolic link. Never blocks, on a FIFO neither.
  init(_ path: String, followingLinks: Bool) throws(FileProblem) {
    let flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | (followingLinks ? 0 : O_NOFOLLOW)
    let descriptor = mb_open(path, flags, 0)
    guard descriptor >= 0 else {
      switch errno {
      case ENOENT: throw FileProblem(detail: "\(path) is missing", isMissing: true)
      case ELOOP: throw FileProblem(detail: "\(path) is a symbolic link")
      case let number: throw FileProblem(detail: "cannot open \(path): \(errorText(number))")
      }
    }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      let number = errno
      close(descriptor)
      throw FileProblem(detail: "cannot look at \(path): \(errorText(number))")
    }
    guard mb_s_isreg(status.st_mode) != 0 else {
      close(descriptor)
      throw FileProblem(detail: "\(path) is not a regular file")
    }
    self.path = path
    self.descriptor = descriptor
    self.status = status
  }

  deinit {
    close(descriptor)
  }

  var size: Int { Int(status.st_size) }

  /// The first bytes, at most `count`; fewer when the file is shorter.
  func prefix(_ count: Int) throws(FileProblem) -> [UInt8] {
    var bytes = WipedBytes(capacity: count)
    bytes.count = try read(into: bytes.storage)
    return Array(bytes.contents)
  }

  /// The whole file in memory that is wiped afterwards. Larger than `limit` bytes: a problem.
  func secretContents(limit: Int) throws(FileProblem) -> WipedBytes {
    guard size <= limit else { throw FileProblem(detail: "\(path) is too large (\(size) bytes)") }
    var bytes = WipedBytes(capacity: size)
    bytes.count = try read(into: bytes.storage)
    return bytes
  }

  /// Fills `buffer` from the start of the file as far as the file goes.
  private func read(into buffer: UnsafeMutableRawBufferPointer) throws(FileProblem) -> Int {
    var length = 0
    while length < buffer.count, let base = buffer.baseAddress {
      let got = pread(descriptor, base + length, buffer.count - length, off_t(length))
      if got < 0, errno == EINTR { continue }
      if got < 0 { throw FileProblem(detail: "cannot read \(path): \(errorText(errno))") }
      if got == 0 { break }
      length += got
    }
    return length
  }
}

/// Memory for key material, overwritten before it is given back.
struct WipedBytes: ~Copyable {
  let storage: UnsafeMutableRawBufferPointer
  var count = 0

  init(capacity: Int) {
    storage = .allocate(byteCount: capacity, alignment: 16)
    storage.initializeMemory(as: UInt8.self, repeating: 0)
  }

  var contents: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: storage.prefix(count)) }

  deinit {
    if let base = storage.baseAddress { explicit_bzero(base, storage.count) }
    storage.deallocate()
  }
}
