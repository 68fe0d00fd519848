/// Scripts that the tests put into the guest, by name.
public enum GuestTools {
  static let all = ["traces": traces, "attempt": attempt, "at-terminal": atTerminal, "edit-luks": editLUKS]

  /// Passphrases that must turn up nowhere.
  public static let wrongPassphrase = "Tr0ub4dor and three"

  /// Everything a run of ours may leave on a guest, a line each.
  private static let traces = """
    #!/bin/bash
    exec </dev/null
    for file in /sys/class/block/dm-*/dm/name; do [ ! -e "$file" ] || echo "mapping $(<"$file")"; done
    # A native host sees those of the kernel that it shares.
    [ -e /vault_crypt ] || for file in /sys/class/block/loop*/loop/backing_file; do [ ! -e "$file" ] || echo "loop $(<"$file")"; done
    # Credentials of systemd's own timers come and go.
    while read -r _ _ _ root target _; do echo "mount $target $root"; done </proc/self/mountinfo |
      grep -v '^mount /run/credentials/' | sort
    for directory in /vault /srv; do
      [ ! -e "$directory" ] || ls -Ad "$directory"
      [ ! -d "$directory" ] || mountpoint --quiet "$directory" || ls -A "$directory" | sed "s|^|entry $directory/|"
    done
    systemctl list-units --all --plain --no-legend --full 'redis*' 'rspamd*' 'dovecot*' 'postfix*' 'vault*' 'gocryptfs*' 'srv*' 'scene*' |
      awk '$3 != "inactive" { print "unit", $1, $3 }' |
      if grep -q ' /vault fuse.gocryptfs ' /proc/mounts; then
        # Systemd learns of a mount of FUSE from the kernel, when it comes to it.
        grep -vx 'unit vault.mount active'
      else cat; fi
    systemctl --failed --plain --no-legend --full | awk '{ print "failed", $1 }'
    pgrep --list-name 'mailboot|gocryptfs' | awk '{ print "process", $2 }'
    [ ! -e /run/mailboot/lock ] || flock --nonblock /run/mailboot/lock true || echo "lock held"
    grep -rlaF -e 'correct horse' -e 'Tr0ub4dor' /run/log/journal /var/log /run/mailboot /tmp 2>/dev/null |
      sed 's/^/secret in /'
    true

    """

  /// Runs a command between two looks at the traces. Prints, each ended by NUL: status, outputs, what changed.
  private static let attempt = """
    #!/bin/bash
    directory=$(mktemp -d /run/attempt.XXXXXX)
    traces >"$directory/before"
    bash -c "$1" >"$directory/out" 2>"$directory/err"
    status=$?
    traces >"$directory/after"
    # A crash says nothing itself.
    [ "$status" -le 130 ] || dmesg | grep 'traps:' | tail -n 2 >>"$directory/err"
    printf '%s\\0' "$status"
    for file in out err; do cat "$directory/$file"; printf '\\0'; done
    diff "$directory/before" "$directory/after" | grep '^[<>]'
    printf '\\0'

    """

  /// The same at a terminal: what the command says is seen there. What changed, terminal settings too, is in `/run/terminal`.
  private static let atTerminal = """
    #!/bin/bash
    # Ctrl-C is for the command alone.
    trap : INT
    mkdir -p /run/terminal
    (traces; stty -a) >/run/terminal/before
    bash -c "$1"
    status=$?
    (traces; stty -a) >/run/terminal/after
    echo "ended with status=$status."

    """

  /// `edit-luks DEVICE EXPRESSION`: changes the metadata `m` of both LUKS2 headers and sets their checksums right.
  private static let editLUKS = """
    #!/usr/bin/python3
    import hashlib, json, struct, sys
    with open(sys.argv[1], "r+b") as device:
        size = struct.unpack(">Q", device.read(16)[8:])[0]
        for offset in (0, size):
            device.seek(offset)
            header = bytearray(device.read(size))
            m = json.loads(header[4096:].split(b"\\0")[0])
            exec(sys.argv[2])
            header[4096:] = json.dumps(m).encode().ljust(size - 4096, b"\\0")
            header[448:512] = bytes(64)
            header[448:480] = hashlib.sha256(header).digest()
            device.seek(offset)
            device.write(header)

    """

  /// One word for the shell.
  public static func quoted(_ text: String) -> String {
    "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
  }
}
