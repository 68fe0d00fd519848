import CLinux
import Glibc

/// Opens what of 0, 1 and 2 the caller has closed: our messages would be written into whatever we open next, such as systemd's socket.
public func openStandardDescriptors() {
  var descriptor: Int32 = 0
  repeat { descriptor = mb_open("/dev/null", O_RDWR, 0) } while (0...2).contains(descriptor)
  close(descriptor)
  // What else we were given is ours alone: gocryptfs would hold a caller's lock or pipe for as long as the vault is open.
  _ = mb_keep_from_children(3)
}
