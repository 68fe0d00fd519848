/// The verbs that make a vault and change what opens it. What mailboot keeps beside the vault is on the same disk, and is cut with it.
extension PowerCuts.Scene {
  private static let start = """
    name=$(basename $WORK); mount=/mnt/$name; P=$DISK-part2; config=/var/lib/mailboot/c.toml
    mkdir -p $mount /var/lib/mailboot; udevadm settle
    besides() { mount $DISK-part1 /var/lib/mailboot; }
    opens() { printf %s "$1" | cryptsetup open --test-passphrase --key-file - $P 2>/dev/null; }
    holds() {
      printf %s "$1" | cryptsetup open --key-file - $P $name && mount /dev/mapper/$name $mount && test -d $mount/maildb &&
        { ! test -e $mount/sums || (cd $mount && md5sum --quiet -c sums); } &&
        umount $mount && fsck -fn /dev/mapper/$name >/dev/null && cryptsetup close $name
    }
    say() { mailboot vault "$@" --config $config >/run/said 2>&1; status=$?; return $status; }
    fail() { echo "$*"; cat /run/said >&2; umount /var/lib/mailboot; exit 1; }
    settings() { printf '[vault]\\ntype = "luks"\\ndevice = "%s"\\nmapping = "%s"\\nmount = "%s"\\n' $P $name $mount >$config; }

    """
  private static let disk = """
    printf 'label: gpt\\nsize=72M\\nsize=80M\\n' | sfdisk -q $DISK; udevadm settle
    mkfs.ext4 -q $DISK-part1; besides

    """
  private static let make = """
    printf first | cryptsetup luksFormat --batch-mode --key-file - --pbkdf pbkdf2 --pbkdf-force-iterations 1000 $P
    printf first | cryptsetup open --key-file - $P $name
    mkfs.ext4 -q -E lazy_itable_init=0,lazy_journal_init=0 /dev/mapper/$name
    mount /dev/mapper/$name $mount; mkdir $mount/maildb
    for n in $(seq 9); do head -c 300000 /dev/urandom >$mount/f$n; done
    (cd $mount && md5sum f* >sums); umount $mount; cryptsetup close $name
    settings

    """
  private static let end = start + "umount /var/lib/mailboot"
  private static let size = 160 << 20

  /// A partition becomes a vault: key, file system, configuration, backup of the header.
  public static let create = PowerCuts.Scene(
    name: "create", bytes: size,
    prepare: start + disk + "mkfs.ext4 -q $P; printf '[vault]\\nmapping = \"cut\"\\nmount = \"/mnt/cut\"\\n' >$config",
    command: start + making("$P --erase") + done, cleanUp: end,
    look: start + """
      besides
      type=$(blkid -p -s TYPE -o value $P)
      echo "${type:-nothing known}$(test -e $config.d/50-vault.toml && echo ', configured')"
      umount /var/lib/mailboot
      """,
    again: start + """
      besides
      # The disk has another name now; a vault that is configured is named by its UUID.
      printf '[vault]\\nmapping = "cut"\\nmount = "/mnt/cut"\\n' >$config

      """ + making("$P --erase") + """

        test $status = 0 || grep -q 'names a vault already' /run/said || fail "status $status"
        said=$(grep -oE 'made already|names a vault already|made; open it' /run/said | head -1)
        holds 'otter lamp grammar ocelot' || fail 'does not open'
        saved=
        if ! ls /var/lib/mailboot/headers/*.header >/dev/null 2>&1; then
          saved=', no backup of the header, as status says'
          say keys; grep -q 'no backup of the vault' /run/said || fail 'no backup of the header, and nobody says so'
        fi
        umount /var/lib/mailboot
        echo "$said; opens$saved"
        """)

  private static let done = "\ntest $status = 0 || { cat /run/said >&2; exit 1; }"

  private static func making(_ what: String) -> String {
    "say create \(what) --stdin --memory 64M --no-recovery-key <<<'otter lamp grammar ocelot'; status=$?"
  }

  /// The same in a file, whose room is taken beside it.
  public static let createFile = PowerCuts.Scene(
    name: "create-file", bytes: 224 << 20,
    prepare: start
      + "printf 'label: gpt\\nsize=200M\\n' | sfdisk -q $DISK; udevadm settle; mkfs.ext4 -q $DISK-part1; besides; "
      + "printf '[vault]\\nmapping = \"cut\"\\nmount = \"/mnt/cut\"\\n' >$config",
    command: start + making("--file /var/lib/mailboot/v.luks --size 64M") + done, cleanUp: end,
    look: start + """
      besides; cd /var/lib/mailboot
      echo $(ls | grep -v -e lost -e headers | sed 's/[.]unfinished.*/.unfinished/') $(test -e v.luks && blkid -p -s TYPE -o value v.luks)
      cd /; umount /var/lib/mailboot
      """,
    again: start + "besides\n" + making("--file /var/lib/mailboot/v.luks --size 64M") + """

      test $status = 0 || grep -q 'names a vault already' /run/said || fail "status $status"
      said=$(grep -oE 'made already|names a vault already|made; open it' /run/said | head -1)
      P=/var/lib/mailboot/v.luks
      holds 'otter lamp grammar ocelot' || fail 'does not open'
      test $(ls -A /var/lib/mailboot | grep -c unfinished) = 0 || fail 'something is left'
      umount /var/lib/mailboot
      echo "$said; opens"
      """)

  private static let whichOpens = """
    besides; settings
    # What takes seconds is tried once on each disk.
    if test -e $WORK/opened; then opened=$(cat $WORK/opened); else
      opened=
      for phrase in first second; do opens $phrase && opened="$opened${opened:+ and }$phrase"; done
      echo $opened >$WORK/opened
    fi

    """

  /// A new passphrase in the place of one.
  public static let changeKey = PowerCuts.Scene(
    name: "change-key", bytes: size, prepare: start + disk + make,
    command: start + "say change-key --stdin --memory 64M <<<$'first\\nsecond' || { cat /run/said >&2; exit 1; }",
    cleanUp: end,
    look: start + whichOpens + """
      test -n "$opened" || fail 'nothing opens'
      echo "$opened opens"; umount /var/lib/mailboot
      """,
    again: start + whichOpens + """
      say change-key --stdin --memory 64M <<<$'first\\nsecond'
      case "$opened $status" in 'second 10' | *' 0') ;; *) fail "status $status" ;; esac
      opens first && fail 'the old one opens still'
      holds second || fail 'the new one does not open'
      cryptsetup luksDump $P | grep -cE '^  [0-9]+: luks2' | grep -qx 1 || fail 'more than one keyslot'
      umount /var/lib/mailboot
      echo "$(grep -oE 'unchanged|changed|not accepted' /run/said | head -1); only second opens"
      """)

  /// One of two passphrases goes.
  public static let removeKey = PowerCuts.Scene(
    name: "remove-key", bytes: size,
    prepare: start + disk + make
      + "say add-key --stdin --memory 64M <<<$'first\\nsecond' || { cat /run/said >&2; exit 1; }",
    command: start + removing + done, cleanUp: end,
    look: start + whichOpens + """
      case "$opened" in first*) ;; *) fail 'the other one does not open' ;; esac
      echo "$opened opens"; umount /var/lib/mailboot
      """,
    again: start + whichOpens + removing + """
      case "$opened $status" in 'first 10' | *' 0') ;; *) fail "status $status" ;; esac
      opens second && fail 'it opens still'
      holds first || fail 'the other one does not open'
      cryptsetup luksDump $P | grep -cE '^  [0-9]+: luks2' | grep -qx 1 || fail 'more than one keyslot'
      umount /var/lib/mailboot
      echo "$(grep -oE 'removed|not accepted' /run/said | head -1); only first opens"
      """)
  private static let removing = """
    printf second >/run/second; chmod 600 /run/second; say remove-key --key-file /run/second; status=$?

    """

  /// Back to a header from before a passphrase was added.
  public static let restoreHeader = PowerCuts.Scene(
    name: "restore-header", bytes: size,
    prepare: start + disk + make + """
      say backup-header /var/lib/mailboot/saved || { cat /run/said >&2; exit 1; }
      say add-key --stdin --memory 64M <<<$'first\\nsecond' || { cat /run/said >&2; exit 1; }
      """,
    command: start + "say restore-header /var/lib/mailboot/saved --force || { cat /run/said >&2; exit 1; }",
    cleanUp: end,
    look: start + whichOpens + """
      begun=$(ls /var/lib/mailboot/headers | grep -q 'restoring$' && echo ', noted as begun')
      if test -n "$opened"; then echo "$opened opens$begun"; else
        for copy in /var/lib/mailboot/headers/*.replaced; do
          printf first | cryptsetup open --test-passphrase --key-file - $copy && printf second | cryptsetup open --test-passphrase --key-file - $copy && kept=1
        done
        test -n "$kept" || fail 'nothing opens'
        echo "the copy of the old header opens$begun"
      fi
      umount /var/lib/mailboot
      """,
    again: start + whichOpens + """
      if ls /var/lib/mailboot/headers | grep -q 'restoring$'; then say restore-header --force; else say restore-header /var/lib/mailboot/saved --force; fi
      test $status = 0 || fail "status $status"
      said=$(grep -oE 'it goes on|restored|unchanged' /run/said | tr '\\n' ' ')
      opens second && fail 'the header is the old one'
      holds first || fail 'does not open'
      say check-header; grep -q 'sound' /run/said || fail 'not sound'
      umount /var/lib/mailboot
      echo "$said: the restored header, sound"
      """)
}
