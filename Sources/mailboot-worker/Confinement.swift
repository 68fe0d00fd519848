import CLinux
import Glibc
import Linux

/// Makes the process safe for secrets before it reads anything, and has it end with its parent.
///
/// - Parameter last: the highest descriptor that stays open.
func confine(keeping last: Int32) throws(WorkerFailure) -> ParentPresence {
  // No core dump and no ptrace by the same user: the passphrase and the volume key pass through here.
  try require(mb_prctl_set_dumpable(0), "prctl")
  try require(mb_setrlimit(mb_rlimit_core, 0, 0), "setrlimit")
  umask(0o077)
  try require(mb_close_range(UInt32(last + 1), UInt32.max), "close_range")
  // A parent that waits with signalfd hands down its blocked signals; here they must end the process.
  var none = sigset_t()
  sigemptyset(&none)
  for number in endingSignals { signal(number, SIG_DFL) }
  // A reader that has gone away is a write error.
  signal(SIGPIPE, SIG_IGN)
  sigprocmask(SIG_SETMASK, &none, nil)
  return try ParentPresence()
}

/// Gives up what root may, before bytes of others are parsed: what they are is theirs to say.
///
/// The service's own sandbox may not change users; there nothing is left to give up but the name.
func becomeNobody() {
  mb_prctl_set_no_new_privs()
  guard geteuid() == 0, let nobody = getpwnam("nobody") else { return }
  let (uid, gid) = (nobody.pointee.pw_uid, nobody.pointee.pw_gid)
  guard setgroups(0, nil) == 0, setgid(gid) == 0, setuid(uid) == 0 else { return }
  // A change of user resets this.
  mb_prctl_set_dumpable(0)
}

/// The signals by which a terminal or the parent ends or stops the worker.
let endingSignals = [SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP]

/// Makes this process the first that the kernel's out-of-memory killer takes, or no longer so; 1000 is the most likely, 0 the usual.
///
/// Only a precaution: a failure is reported and nothing more.
func setOutOfMemoryScore(_ score: Int) {
  let descriptor = mb_open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC, 0)
  guard descriptor >= 0 else { return complain("oom_score_adj: \(errnoText())") }
  defer { close(descriptor) }
  let text = Array("\(score)".utf8)
  if write(descriptor, text, text.count) < 0 { complain("oom_score_adj: \(errnoText())") }
}

func require(_ result: Int32, _ what: String) throws(WorkerFailure) {
  guard result >= 0 else {
    throw WorkerFailure(status: WorkerExit.failure, text: "\(what): \(errnoText())")
  }
}
