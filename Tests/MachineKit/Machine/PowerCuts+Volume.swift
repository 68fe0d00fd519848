/// The verbs that change the volume itself.
extension PowerCuts.Scene {
  /// All that are cut.
  public static let all = [create, createFile, changeKey, removeKey, restoreHeader, grow, rekey]

  private static let start = """
    printf '%s' 'correct horse battery staple' >/run/cut-key; chmod 600 /run/cut-key
    name=$(basename $WORK); mount=/mnt/$name; mkdir -p $mount
    vault() {
      cat >$WORK/c.toml <<END
    [vault]
    type = "luks"
    device = "$1"
    mapping = "$name"
    mount = "$mount"
    [unlock]
    on-failure = "leave"
    END
    }
    is_large() { [ $(($(stat -f -c '%b * %S' $mount) >> 20)) -gt 150 ]; }
    well() {
      (cd $mount && md5sum --quiet -c sums) && umount $mount && fsck -fn /dev/mapper/$name >/dev/null && cryptsetup close $name
    }

    """
  private static let make = """
    cryptsetup luksFormat --batch-mode --type luks2 --key-file /run/cut-key --pbkdf pbkdf2 --pbkdf-force-iterations 1000 $P
    cryptsetup open --key-file /run/cut-key $P $name
    mkfs.ext4 -q -E lazy_itable_init=0,lazy_journal_init=0 /dev/mapper/$name
    mount /dev/mapper/$name $mount
    for n in $(seq 40); do head -c 500000 /dev/urandom >$mount/f$n; done
    (cd $mount && md5sum f* >sums); sync

    """
  private static let open = """
    if ! cryptsetup open --key-file /run/cut-key $P $name 2>/run/refused; then
      # Its checks find nothing that they know in there, but by then it is open.
      mailboot --no-start --config $WORK/c.toml --key-file /run/cut-key >/run/said 2>&1
      test -e /dev/mapper/$name || { cat /run/refused /run/said >&2; exit 1; }
      echo "cryptsetup does not open it ($(tail -n 1 /run/refused | tr -d .)), mailboot does"
    fi
    mountpoint -q $mount || mount /dev/mapper/$name $mount

    """

  /// A new key, while the file system is in use.
  public static let rekey = PowerCuts.Scene(
    name: "rekey", bytes: 96 << 20,
    prepare: start + "P=$DISK; vault $P\n" + make,
    command: start + "vault $DISK; mailboot vault rekey --config $WORK/c.toml --key-file /run/cut-key",
    cleanUp: start + "well",
    look: start + """
      P=$DISK; vault $P
      mailboot vault info --config $WORK/c.toml --format json >$WORK/info
      echo "re-encryption $(sed -n 's/.*"reencryption": "\\(.*\\)".*/\\1/p' $WORK/info)"

      """ + open + "well && echo 'opens, all files right'",
    again: start + """
      P=$DISK; vault $P
      mailboot vault rekey --config $WORK/c.toml --key-file /run/cut-key >/run/said 2>&1 || { cat /run/said >&2; exit 1; }
      cryptsetup luksDump $P | grep -q reencrypt && exit 1

      """ + open + "well && echo 'a new key; opens, all files right'")

  /// A partition that takes the room behind it.
  public static let grow = PowerCuts.Scene(
    name: "grow", bytes: 256 << 20,
    prepare: start + "printf 'label: gpt\\nsize=96M\\n' | sfdisk -q $DISK; udevadm settle; P=$DISK-part1; vault $P\n"
      + make,
    command: start + "vault $DISK-part1; mailboot vault grow --config $WORK/c.toml --key-file /run/cut-key",
    cleanUp: start + "well",
    look: start + """
      udevadm settle; P=$DISK-part1; vault $P

      """ + open + """
        echo "partition $(($(blockdev --getsize64 $P) >> 20)) MiB, file system $(is_large && echo grown || echo as before)"
        well && echo 'all files right'
        """,
    again: start + "P=$DISK-part1; vault $P\n" + open + """
      mailboot vault grow --config $WORK/c.toml --key-file /run/cut-key >/run/said 2>&1 || { cat /run/said >&2; exit 1; }
      grep -oE 'nothing to grow|^grown' /run/said
      is_large || exit 1
      well && echo 'all files right'
      """)
}
