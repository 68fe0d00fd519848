import CLinux
import Glibc
import Linux
import MailbootCore
import Text

/// What the process needs beside the derivation, KiB: the stacks of up to four Argon2 threads, libraries' buffers.
private let otherNeedsKiB = 64 << 10

/// Bounds the address space at what is in use now and `limitKiB` more, so that Argon2 gets ENOMEM instead of the
/// out-of-memory killer.
func limitMemory(toMore limitKiB: Int) -> VaultFailure? {
  guard let used = firstNumber(in: "/proc/self/statm", after: "") else {
    return VaultFailure(.other, "cannot read /proc/self/statm: \(errnoText())")
  }
  let page = Int(sysconf(Int32(_SC_PAGESIZE)))
  let bytes = UInt64(used * page) + UInt64(max(0, limitKiB) + otherNeedsKiB) << 10
  guard mb_setrlimit(mb_rlimit_as, bytes, bytes) == 0 else {
    return VaultFailure(.other, "setrlimit: \(errnoText())")
  }
  return nil
}

/// What the kernel thinks can be had without swapping, KiB.
func availableMemoryKiB() -> Int? {
  firstNumber(in: "/proc/meminfo", after: "MemAvailable:")
}

/// The first decimal number after `label` in a file of at most a page.
private func firstNumber(in path: String, after label: String) -> Int? {
  let descriptor = mb_open(path, O_RDONLY | O_CLOEXEC, 0)
  guard descriptor >= 0 else { return nil }
  defer { close(descriptor) }
  var buffer = [UInt8](repeating: 0, count: 4096)
  let count = read(descriptor, &buffer, buffer.count)
  guard count > 0 else { return nil }
  let text = String(decoding: buffer[..<count], as: UTF8.self)
  guard let line = text.split(separator: "\n").first(where: { $0.hasPrefix(label) }) else { return nil }
  return line.dropFirst(label.count).split(separator: " ").first.flatMap { Int($0) }
}
