import Glibc
import Linux

/// The kernel's id of this boot; empty without `/proc`.
public func bootID() -> String { readAttribute("/proc/sys/kernel/random/boot_id") ?? "" }

/// Who really sits there: the login that became root, else the user of the process.
public func invokingUser() -> String { loginUser(of: UInt32(getpid())) ?? userName(geteuid()) }
