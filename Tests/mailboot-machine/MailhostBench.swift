import Foundation
import MachineKit

/// How long `mailhost` takes where there is nothing to do, beside a role of Ansible's of the same size.
struct MailhostBench {
  let release: Release

  func rows() async throws -> [BenchTable.Row] {
    let host = try await NativeHost.withRepository(release)
    let interruption = Interruption(closing: host)
    defer { interruption.end() }
    _ = try await Bench.unlock(by: "mailboot --stdin", on: host)
    try await host.succeed(
      """
      set -e
      mailhost apply --no-test >/dev/null 2>&1
      echo 'deb [trusted=yes] file:/usr/local/share/mailboot-machine/repository-\(release.rawValue) ./' \
        >/etc/apt/sources.list.d/machine.list
      apt-get -qq update
      DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install ansible-core >/dev/null 2>&1
      """, timeout: .seconds(600))
    try await host.put("/root/make-role", Data(Self.makeRole.utf8), mode: 0o755)
    let printed = try await host.succeed(
      """
      set -e
      /root/make-role /root/role
      cd /root/role
      export ANSIBLE_NOCOWS=1 ANSIBLE_LOCALHOST_WARNING=False
      play() { ansible-playbook --connection local --inventory localhost, "$@" play.yml >/root/played; }
      play
      timed() {
        local name=$1 start; shift
        start=$EPOCHREALTIME; "$@" >/dev/null 2>&1; echo "$name $start $EPOCHREALTIME"
      }
      for turn in 1 2 3; do
        timed check play --check
        timed run play
      done
      grep -q 'changed=0 ' /root/played
      for turn in {1..9}; do
        timed plan mailhost plan
        timed apply mailhost apply
      done
      """, timeout: .seconds(1800))
    var times: [Substring: [Double]] = [:]
    for line in printed.split(separator: "\n") {
      let words = line.split(separator: " ", maxSplits: 1)
      guard words.count == 2, ["check", "run", "plan", "apply"].contains(words[0]) else { continue }
      times[words[0], default: []].append(try Bench.difference(String(words[1])))
    }
    func row(_ verb: Substring, _ limit: Double, _ other: Substring, _ name: String) -> [BenchTable.Row] {
      let (ours, theirs) = (times[verb, default: []].median, times[other, default: []].median)
      let what = "`mailhost \(verb)`, nothing to do, native \(release.name)"
      return [
        BenchTable.Row(
          what: what, measured: BenchTable.milliseconds(ours), reference: "", ratio: nil,
          judged: (BenchTable.seconds(limit), ours > 0 && ours <= limit)),
        BenchTable.Row(
          what: what, measured: BenchTable.milliseconds(ours), reference: "`\(name)` \(BenchTable.seconds(theirs))",
          ratio: ours / theirs, limit: 0.05),
      ]
    }
    return row("plan", 1, "check", "ansible-playbook --check") + row("apply", 2, "run", "ansible-playbook")
  }

  /// A role that templates the same files, with the same users, directories and units: as short as it can be.
  /// Not with the packages: for them Ansible needs a library of its own.
  private static let makeRole = """
    #!/usr/bin/python3
    import json, os, sys
    place = sys.argv[1]
    os.makedirs(place + "/files")
    current = open("/var/lib/mailhost/current").read().strip()
    generation = json.load(open(f"/var/lib/mailhost/generations/{current}/generation.json"))
    tasks = [
        {"group": {"name": "vmail", "gid": 5000}},
        {"user": {"name": "vmail", "uid": 5000, "group": "vmail", "home": "/vault/vmail", "create_home": False,
                  "shell": "/usr/sbin/nologin"}},
    ]
    for path in ["/vault/vmail", "/vault/maildb", "/vault/sieve", "/vault/sieve/before.d", "/vault/sieve/after.d",
                 "/vault/sieve/global", "/vault/dkim", "/vault/redis", "/vault/postfix"]:
        tasks.append({"file": {"path": path, "state": "directory"}})
    for entry in generation["entries"]:
        if entry["present"] is None:
            continue
        name = entry["path"].replace("/", "_")
        text = open(f"/var/lib/mailhost/generations/{current}/files{entry['path']}").read()
        # What Ansible would take for its own marks.
        open(f"{place}/files/{name}.j2", "w").write(text.replace("{{", "{{ '{{' }}").replace("{%", "{{ '{%' }}").replace("{#", "{{ '{#' }}"))
        present = entry["present"]
        tasks.append({"template": {"src": f"files/{name}.j2", "dest": entry["path"], "owner": present["owner"],
                                   "group": present["group"], "mode": "0%o" % present["mode"]}})
    for unit in ["redis-server", "rspamd", "dovecot", "postfix"]:
        tasks.append({"systemd": {"name": unit, "enabled": True, "state": "started"}})
    json.dump([{"hosts": "all", "gather_facts": False, "tasks": tasks}], open(place + "/play.yml", "w"))

    """
}
