import Foundation
import MachineKit
import SceneSupport
import Testing

/// `mailboot vault create` with device-mapper, and cryptsetup, blkid and findmnt as witnesses.
struct NewVaultTests {
  private static let passphrase = "otter lamp grammar ocelot"

  // On one release, for the time it takes: the library is the same, and the passphrase's way is seen on both elsewhere.
  @Test func aDiskBecomesTheVaultOfAMailHostAndItsHeaderComesBackFromItsBackup() async throws {
    let machine = try await Machine.fresh(.debian12)
    defer { machine.close() }
    try await machine.succeed(
      "install -m 600 /dev/stdin /run/new; printf '%s\\n' \"$(cat /run/new)\" >/run/line",
      stdin: Data(Self.passphrase.utf8))
    // There is a vault on it: nobody loses it by a word.
    let refused = try await machine.run("mailboot vault create /dev/vdb --stdin </run/line")
    #expect(refused.status == 11)
    #expect(refused.stderr.contains("/dev/vdb: crypto_LUKS"), "\(refused.stderr)")
    #expect(refused.stderr.contains("/dev/vdb is not empty"), "\(refused.stderr)")
    #expect(refused.stderr.contains("say `--erase`"), "\(refused.stderr)")
    try await machine.succeed("cryptsetup isLuks /dev/vdb")

    let made = try await machine.run(
      "mailboot vault create /dev/vdb --stdin --erase --memory 128M --recovery-key </run/line", timeout: .seconds(600))
    #expect(made.status == 0, "\(made.stderr)")
    let recovery = try #require(made.stdout.components(separatedBy: "\n").first { $0.count == 71 })
    let dump = try await machine.succeed("cryptsetup luksDump /dev/vdb; blkid -s TYPE -o value /dev/vdb")
    for witness in ["mailboot:ext4", "argon2id", "systemd-recovery", "crypto_LUKS"] {
      #expect(dump.contains(witness), "\(witness): \(dump)")
    }
    #expect(try await machine.succeed("systemd-cryptenroll /dev/vdb").contains("recovery"))
    try await machine.succeed(
      "printf '\(recovery)' | cryptsetup open --test-passphrase --key-file - /dev/vdb && ! test -e /dev/mapper/mailboot-create",
      timeout: .seconds(120))

    // The mail host that is there fills it.
    let opened = try await machine.run("mailboot --stdin </run/new", timeout: .seconds(900))
    #expect(opened.status == 0, "\(opened.stderr)")
    try await machine.succeed("/usr/local/lib/mailboot-machine/send-mail first", timeout: .seconds(200))
    try await Self.read(machine)

    try await machine.succeed(
      "mailboot lock && dd if=/dev/zero of=/dev/vdb bs=1M count=16 conv=fsync && udevadm trigger --settle /dev/vdb",
      timeout: .seconds(300))
    let lost = try await machine.run("mailboot --stdin </run/new", timeout: .seconds(300))
    #expect(lost.status == 11)
    #expect(lost.stderr.contains("restore-header"), "\(lost.stderr)")
    let restored = try await machine.run(
      "mailboot vault restore-header --force /var/lib/mailboot/headers/*.header", timeout: .seconds(300))
    #expect(restored.status == 0, "\(restored.stderr)")
    let again = try await machine.run("mailboot --stdin </run/new", timeout: .seconds(900))
    #expect(again.status == 0, "\(again.stderr)")
    try await Self.read(machine)
  }

  private static func read(_ machine: Machine) async throws {
    try await machine.succeed(
      "for try in 1 2 3 4 5 6; do /usr/local/lib/mailboot-machine/read-mail first --wait 30 >/dev/null && exit 0; sleep 3; done; exit 1",
      timeout: .seconds(400))
  }

  /// Loop devices stand for disks that are not as they should be, and for one with sectors of 4 KiB.
  @Test func aFileAndADiskOfLargeSectorsBecomeVaultsAndBadDisksAreRefused() async throws {
    try await MailHosts.with(.debian12) { host in
      try await host.guest.succeed(
        """
        set -e
        mkdir /root/other
        printf '[vault]\\nmount = "/mnt/other"\\nmapping = "other"\\n' >/root/other/mailboot.toml
        printf '\(Self.passphrase)\\n' >/run/line
        create() { mailboot vault create --config /root/other/mailboot.toml --stdin --memory 128M "$@" </run/line >/run/out 2>&1; }
        expect() { status=$1 text=$2; shift 2; set +e; create "$@"; got=$?; set -e
          [ $got = $status ] && grep -qF -- "$text" /run/out || { echo "$*: $got, not $status: $text"; cat /run/out; exit 1; }; }
        truncate -s 80M /root/disk
        losetup --read-only /dev/loop1 /root/disk
        expect 11 'is read-only' /dev/loop1 --erase
        losetup -d /dev/loop1
        losetup --sector-size 4096 /dev/loop1 /root/disk
        mkfs.ext4 -q /dev/loop1; mount /dev/loop1 /mnt
        expect 11 'is mounted on /mnt' /dev/loop1 --erase
        umount /mnt
        mkswap -q /dev/loop1 2>/dev/null || mkswap /dev/loop1 >/dev/null; swapon /dev/loop1
        expect 11 'is swap space in use' /dev/loop1 --erase
        swapoff /dev/loop1
        truncate -s 20M /root/small; losetup /dev/loop2 /root/small
        expect 11 'there is not enough room' /dev/loop2
        expect 11 'is not empty' /dev/loop1
        expect 0 'made; open it' /dev/loop1 --erase --no-recovery-key
        cryptsetup luksDump /dev/loop1 | grep -q 'sector: 4096'
        expect 64 'names a vault already' /dev/loop2
        rm -r /root/other/mailboot.toml.d
        # A second one, in a file; its room is taken at once.
        expect 0 'made; open it' --file /root/other/v.luks --size 64M
        [ "$(stat -c %a:%U /root/other/v.luks)" = 600:root ]
        [ "$(( $(stat -c %b /root/other/v.luks) * 512 >> 20 ))" -ge 64 ]
        cryptsetup open --key-file - /root/other/v.luks seen <<<'' 2>/dev/null || true
        printf '\(Self.passphrase)' | cryptsetup open --key-file - /root/other/v.luks seen
        mount /dev/mapper/seen /mnt
        findmnt -n -o FSTYPE /mnt | grep -q ext4
        [ "$(stat -c %a:%U /mnt)" = 755:root ]; test -d /mnt/maildb
        [ "$(stat -c %a:%U:%G /mnt/dkim)" = 750:_rspamd:_rspamd ]
        umount /mnt; cryptsetup close seen
        ! ls /dev/mapper | grep -q mailboot
        """, timeout: .seconds(600))
    }
  }

  /// Larger, smaller on the disk, and with checksums: what takes a mapping.
  @Test func aVaultInAFileGrowsAndGivesSpaceBackWhileItIsUsedAndOneWithChecksumsIsMade() async throws {
    try await MailHosts.with(.debian13) { host in
      try await host.guest.succeed(
        """
        set -eE
        trap 'echo "failed: $BASH_COMMAND" >&2' ERR
        bytes() { echo $(($(stat -f -c '%b * %S' /mnt))); }
        mkdir /root/other; cd /root/other
        printf '[vault]\nmount = "/mnt"\nmapping = "other"\n' >mailboot.toml
        printf '\(Self.passphrase)\n' >/run/line; printf '\(Self.passphrase)' >/run/key; chmod 600 /run/key
        v() { mailboot vault "$@" --config /root/other/mailboot.toml >/run/out 2>&1 || { cat /run/out; exit 1; }; }
        has() { grep -qF -- "$1" /run/out || { cat /run/out; echo "lacks: $1"; exit 1; }; }
        v create --file /root/other/v.luks --size 64M --memory 128M --stdin --no-recovery-key </run/line
        cryptsetup open --key-file /run/key v.luks other; mount /dev/mapper/other /mnt
        head -c 5000000 /dev/urandom >/mnt/mail; md5sum /mnt/mail >sum
        before=$(bytes)
        v grow --size 128M --dry-run; has '128 MiB'
        [ $(bytes) = $before ]
        v grow --size 128M --key-file /run/key; has 'grown'
        [ $(bytes) -gt $((before + (50 << 20))) ]; [ $(stat -c %s v.luks) = $((128 << 20)) ]
        md5sum -c sum
        v grow --size 128M --key-file /run/key; has 'nothing to grow'
        # Deleted space stays taken until told.
        taken=$(stat -c %b v.luks)
        head -c 30000000 /dev/urandom >/mnt/gone; sync; rm /mnt/gone; sync
        v trim; has 'off'
        v trim on --key-file /run/key; v trim; has 'on'
        v trim now --key-file /run/key
        [ $(stat -c %b v.luks) -lt $taken ]
        v trim off --key-file /run/key; v trim; has 'off'
        v info; has 'LUKS2'; has '128 MiB'
        v check; has 'header'
        umount /mnt; v check; cryptsetup close other
        cryptsetup open --key-file /run/key v.luks other; fsck -fn /dev/mapper/other >/dev/null
        mount /dev/mapper/other /mnt; md5sum -c sum; umount /mnt; cryptsetup close other
        rm -r mailboot.toml.d v.luks

        # Each sector with a checksum: what the disk has changed is an error, and no mail.
        truncate -s 96M disk; losetup /dev/loop3 disk
        v create /dev/loop3 --integrity --memory 128M --stdin --no-recovery-key </run/line
        cryptsetup luksDump /dev/loop3 | grep -q 'integrity: hmac(sha256)'
        v info; has 'integrity'
        cryptsetup open --key-file /run/key /dev/loop3 other; mount /dev/mapper/other /mnt; test -d /mnt/maildb
        umount /mnt; cryptsetup close other
        """, timeout: .seconds(900))
    }
  }
}
