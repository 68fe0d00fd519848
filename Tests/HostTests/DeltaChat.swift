import Foundation
import MachineKit
import SceneSupport
import Testing

/// A mail program that is told an address and a password, and finds everything else by itself: the wheel `deltachat-rpc-server`, which
/// `scripts/install-dependencies` fetches.
struct DeltaChat {
  let wheel: Data

  /// - Throws: when it is missing: a scene that is left out shows nothing.
  static func find() throws -> DeltaChat {
    let environment = ProcessInfo.processInfo.environment
    let caches = environment["XDG_CACHE_HOME"] ?? NSHomeDirectory() + "/.cache"
    let directory = "\(caches)/mailboot-wheels"
    let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
    guard let name = names.first(where: { $0.hasPrefix("deltachat_rpc_server-") && $0.hasSuffix(".whl") }) else {
      throw MachineError(.host, "\(directory) has no wheel deltachat_rpc_server: run scripts/install-dependencies")
    }
    return DeltaChat(wheel: try Data(contentsOf: URL(fileURLWithPath: "\(directory)/\(name)")))
  }

  /// Carol of example.net, whose domain has nothing to do with the host's name, writes to Bob.
  func expectChat(_ scene: MailhostScene, _ names: NameServers) async throws {
    try await names.host.put("/root/deltachat.whl", wheel)
    try await names.host.put("/root/chat.py", Data(Self.program.utf8))
    try await names.host.succeed(
      "cd /root && python3 -m zipfile -e deltachat.whl . && chmod 755 deltachat_rpc_server/deltachat-rpc-server")
    let said = try await names.host.run(
      "cd /root && timeout 90 python3 chat.py carol@example.net secret-carol bob@example.org 2>chat.log || tail -n 40 chat.log",
      timeout: .seconds(100))
    #expect(said.stdout.contains("configured\n") && said.stdout.contains("delivered\n"), "\(said.stdout)\(said.stderr)")
    let servers = "imap:[mail.example.org:993:tls] smtp:[mail.example.org:465:tls, mail.example.org:587:starttls]"
    #expect(said.stdout.contains(servers), "\(said.stdout)")
    let log = try await scene.succeed("grep -h 'config-v1.1.xml' /var/log/nginx/access.log | grep -v urllib")
    #expect(log.contains(" 200 "), "\(log)")
    let found = try await scene.run(
      "for i in {1..50}; do doveadm search -u bob@example.org mailbox INBOX from carol@example.net | grep -q . && exit 0; sleep 0.2; done; exit 1"
    )
    #expect(found.status == 0, "\(said.stdout)")
  }

  /// It knows public authorities alone, so it is told to take other certificates, of the web server as well; of servers, ports and the user's
  /// name it is told nothing.
  private static let program = """
    import json, subprocess, sys

    server = subprocess.Popen(
        ["/root/deltachat_rpc_server/deltachat-rpc-server"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        env={"DC_ACCOUNTS_PATH": "/root/accounts", "RUST_LOG": "info"})
    count = 0

    def call(method, *parameters):
        global count
        count += 1
        request = {"jsonrpc": "2.0", "id": count, "method": method, "params": parameters}
        server.stdin.write(json.dumps(request).encode() + b"\\n")
        server.stdin.flush()
        while True:
            answer = json.loads(server.stdout.readline())
            if answer.get("id") == count:
                if "error" in answer:
                    sys.exit("%s: %s" % (method, answer["error"]))
                return answer["result"]

    address, password, other = sys.argv[1:]
    account = call("add_account")
    call("add_or_update_transport", account,
         {"addr": address, "password": password, "certificateChecks": "acceptInvalidCertificates"})
    print("configured", flush=True)
    # To somebody whose key it has not seen.
    call("set_config", account, "force_encryption", "0")
    print(call("get_info", account).get("used_transport_settings"))
    call("start_io", account)
    contact = call("create_contact", account, other, None)
    chat = call("create_chat_by_contact_id", account, contact)
    message = call("misc_send_text_message", account, chat, "A letter of another program.")
    while True:
        event = call("get_next_event")["event"]
        print(event, file=sys.stderr)
        if event["kind"] == "MsgDelivered" and event["msgId"] == message:
            print("delivered", flush=True)
            break
        if event["kind"] == "MsgFailed":
            sys.exit("failed")
    server.terminate()

    """
}
