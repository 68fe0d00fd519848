import Foundation
import Synchronization

extension Machine {
  /// Gives the machine, which is off, a TPM 2.0 of its own. What is sealed in it lasts over power cuts, as in a real one; its registers
  /// begin anew.
  public func fitTPM() throws {
    guard !isOn else { throw MachineError(.host, "a TPM is fitted while the machine is off") }
    let state = directory + "/tpm"
    try FileManager.default.createDirectory(atPath: state, withIntermediateDirectories: true)
    tpm.withLock { $0 = state }
  }

  /// Starts swtpm for one life of the machine; it ends with qemu.
  /// - Returns: the path of its socket.
  func startTPM(_ state: String) throws -> String {
    let socket = directory + "/tpm.socket"
    try? FileManager.default.removeItem(atPath: socket)
    let process = try ChildProcess(
      .init(
        command: [
          "setpriv", "--pdeathsig", "KILL", "--", "swtpm", "socket", "--tpm2", "--tpmstate", "dir=\(state)", "--ctrl",
          "type=unixio,path=\(socket)", "--terminate",
        ], output: Descriptor(path: directory + "/swtpm.log", flags: O_WRONLY | O_CREAT | O_APPEND), inOwnGroup: true))
    let deadline = Deadline(after: .seconds(20))
    while !FileManager.default.fileExists(atPath: socket) {
      guard process.status == nil, !deadline.hasPassed else {
        let said = (try? String(contentsOfFile: directory + "/swtpm.log", encoding: .utf8)) ?? ""
        throw MachineError(.host, "swtpm did not come up (package swtpm): \(said.suffix(1000))")
      }
      deadline.pause(.milliseconds(10))
    }
    return socket
  }
}
