import Glibc
import JSON
import Linux

/// Leaves what a check has found where `mailboot status` and everybody else can read it.
func storeRecord(_ json: JSONText, at path: String) throws(HostFailure) {
  let directory = String(path[..<(path.lastIndex(of: "/") ?? path.endIndex)])
  // Whatever the umask is.
  if mkdir(directory, 0o755) == 0 { chmod(directory, 0o755) }
  try explained { () throws(SystemError) in
    try replaceFile(path, with: Array((json.rendered() + "\n").utf8), temporary: path + ".new")
  }
}
