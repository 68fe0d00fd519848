import MachineKit
import Testing

extension MailHost {
  /// Expects a locked host without a trace of having been open.
  public func expectLocked() async throws {
    let status = try await guest.run("mailboot status --format json")
    #expect(status.status == 2, "\(status.stdout)")
    #expect(status.stdout.contains("\"checks\": []"))
    #expect(try await guest.succeed("ss -Htln 'sport = :25'").isEmpty)
    #expect(try await guest.run(vault.look).stdout.isEmpty)
    #expect(try await guest.succeed("systemctl --failed --plain --no-legend") == "")
  }

  /// Waits until `mailboot status` says so, in the guest's own time.
  public func await(_ state: String, seconds: Int = 180) async throws {
    try await guest.succeed(
      """
      for try in $(seq \(seconds * 5)); do
        mailboot status --format json | grep -q '"state": "\(state)"' && exit 0
        sleep 0.2
      done
      mailboot status; journalctl -b -t mailboot --no-pager | tail -30; exit 1
      """, timeout: .seconds(seconds * 3 + 60))
  }

  /// Starts the service in wait mode.
  public func beginWaiting(configuration: String? = nil) async throws {
    if let configuration { try await configure(configuration) }
    try await guest.succeed("systemctl start mailboot")
  }

  /// Has rspamd start only once `/run/go` is there.
  public func slowDownFilter() async throws {
    try await guest.succeed(
      """
      mkdir -p /run/systemd/system/rspamd.service.d
      printf '[Service]\\nExecStartPre=/bin/sh -c "while [ ! -e /run/go ]; do sleep 0.1; done"\\n' \
        >/run/systemd/system/rspamd.service.d/slow.conf
      systemctl daemon-reload
      """)
  }
}
