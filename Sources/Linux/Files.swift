import CLinux
import Glibc

/// Reads a file that is small by nature (procfs, sysfs, configuration), at most `limit` bytes; nil when it can't be read
/// (`errno` says why).
public func readSmallFile(_ path: String, limit: Int = 1 << 20, flags: Int32 = 0) -> [UInt8]? {
  let descriptor = mb_open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | flags, 0)
  guard descriptor >= 0 else { return nil }
  defer { close(descriptor) }
  return readToEnd(descriptor, limit: limit)
}

/// Makes a new file for this process alone, 0600, that no child inherits; nil when none can be made there (`errno` says why).
/// - Parameter prefix: of its name; what comes behind is random.
public func temporaryFile(_ prefix: String, in directory: String) -> (descriptor: Int32, path: String)? {
  var template = Array("\(directory)/\(prefix)XXXXXX".utf8CString)
  let descriptor = mkstemp(&template)
  guard descriptor >= 0 else { return nil }
  _ = mb_fcntl_int(descriptor, F_SETFD, FD_CLOEXEC)
  return (descriptor, String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self))
}

/// Reads up to the end; nil on a read error or past `limit` bytes.
public func readToEnd(_ descriptor: Int32, limit: Int) -> [UInt8]? {
  var bytes: [UInt8] = []
  var chunk = [UInt8](repeating: 0, count: 16384)
  while true {
    let count = chunk.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
    if count < 0 {
      if errno == EINTR { continue }
      return nil
    }
    if count == 0 { return bytes }
    bytes += chunk[..<count]
    if bytes.count > limit {
      errno = EFBIG
      return nil
    }
  }
}

public func readSmallText(_ path: String) -> String? {
  readSmallFile(path).map { String(decoding: $0, as: UTF8.self) }
}

/// A sysfs attribute without its newline.
public func readAttribute(_ path: String) -> String? {
  guard var bytes = readSmallFile(path)?[...] else { return nil }
  if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
  return String(decoding: bytes, as: UTF8.self)
}

/// Names in a directory without `.` and `..`, sorted; nil when it can't be read.
public func listDirectory(_ path: String) -> [String]? {
  guard let directory = opendir(path) else { return nil }
  defer { closedir(directory) }
  return names(in: directory)
}

/// Names in an opened directory without `.` and `..`, sorted.
public func names(in directory: OpaquePointer) -> [String] {
  var names: [String] = []
  while let entry = readdir(directory) {
    let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
      String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
    if name != "." && name != ".." { names.append(name) }
  }
  return names.sorted()
}

/// The path with every symbolic link followed; nil when it does not exist.
public func resolvedPath(_ path: String) -> String? {
  guard let real = realpath(path, nil) else { return nil }
  defer { free(real) }
  return String(cString: real)
}

/// The directory that a path lies in, as far as its text says; `.` for a bare name.
public func parentDirectory(of path: String) -> String {
  guard let slash = path.lastIndex(of: "/") else { return "." }
  return slash == path.startIndex ? "/" : String(path[..<slash])
}

public func fileStatus(_ path: String) -> stat? {
  var status = stat()
  return stat(path, &status) == 0 ? status : nil
}

/// `major:minor`, as sysfs and the mount table write it.
public func deviceNumber(_ device: dev_t) -> String { "\(mb_major(device)):\(mb_minor(device))" }
