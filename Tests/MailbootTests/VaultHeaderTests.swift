import Foundation
import TestSupport
import Testing

/// Keys and headers as they are typed, on volumes in files and encrypted directories, which take neither device-mapper nor a service.
@Suite(.serialized) struct VaultHeaderTests {
  /// A vault of each kind, opened by `right`, with a configuration and a place for backups of its own.
  private final class Place {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory(in: "/dev/shm") }

    func makeLUKS() throws {
      try configure("device = \"\(directory.file("volume"))\"")
      try succeed(
        """
        truncate -s 24M volume && printf right >k && chmod 600 k
        cryptsetup luksFormat -q --pbkdf pbkdf2 --pbkdf-force-iterations 1000 volume --key-file k
        """)
    }

    func makeGocryptfs() throws {
      try configure("type = \"gocryptfs\"\ndevice = \"\(directory.file("crypt"))\"")
      try succeed("mkdir crypt && printf 'right\\nright\\n' | gocryptfs -init -q -scryptn 10 crypt")
    }

    private func configure(_ lines: String) throws {
      _ = try directory.write("mailboot.toml", "[vault]\n\(lines)\nmount = \"/nosuch/vault\"\n")
    }

    /// In a namespace where nothing is known of other vaults and nobody else works on one.
    func run(_ script: String) throws -> (status: Int32, output: String) {
      try runInShell(
        """
        exec unshare -m sh -c '
        mkdir -p /run/mailboot /var/lib/mailboot
        mount --bind \(state("run")) /run/mailboot && mount --bind \(state("lib")) /var/lib/mailboot || exit 99
        cd \(directory.path)
        v() { verb=$1; shift; \(builtProgram("mailboot")) vault $verb --config mailboot.toml "$@"; }
        \(script)' </dev/null 2>&1
        """)
    }

    private func state(_ name: String) throws -> String {
      let path = directory.file("state-" + name)
      try FileManager.default.createDirectory(
        atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
      return path
    }

    func succeed(_ script: String) throws {
      let run = try runInShell("cd \(directory.path) && { \(script)\n} 2>&1")
      #expect(run.status == 0, "\(run.output)")
    }
  }

  /// gocryptfs reads lines: the second one became the new passphrase.
  @Test func aPassphraseOfTwoLinesIsNotTakenForTwo() throws {
    let place = try Place()
    try place.makeGocryptfs()
    try place.succeed("printf 'right\\nsecond\\n' >two; printf 'new words' >n; printf right >k; chmod 600 two n k")
    for verb in ["change-key --new-key-file n", "test-key", "check --contents"] {
      let run = try place.run("v \(verb) --key-file two")
      #expect(run.status == 64 && run.output.contains("contains a newline"), "\(verb): \(run.output)")
    }
    let still = try place.run("v test-key --key-file k")
    #expect(still.status == 0, "\(still.output)")
  }

  @Test func theBackupOfAnotherEncryptedDirectoryIsRefused() throws {
    let place = try Place()
    try place.makeGocryptfs()
    let saved = try place.run("v backup-header other && sed -i s,/crypt,/crypt2, mailboot.toml && mv crypt crypt2")
    #expect(saved.status == 0, "\(saved.output)")
    let run = try place.run("v restore-header other --force")
    #expect(run.status == 64 && run.output.contains("was saved of another vault"), "\(run.output)")
  }

  /// A restore was cut off, and things went on without it: its mark must not cost the header that is there now.
  @Test func whatARestoreOfLongAgoHasLeftDoesNotAgreeToAnotherOne() throws {
    let place = try Place()
    try place.makeLUKS()
    try place.succeed("printf 'new words' >n; printf 'third words' >z; chmod 600 n z")
    let prepared = try place.run(
      """
      add() { cryptsetup luksAddKey -q --pbkdf pbkdf2 --pbkdf-force-iterations 1000 volume --key-file k "$@"; }
      v backup-header old && add n && v backup-header two && add z && v remove-key 1 || exit 2
      uuid=$(cryptsetup luksUUID volume); : >/var/lib/mailboot/headers/copy
      for file in old two; do
        printf "{\\"uuid\\":\\"%s\\",\\"file\\":\\"%s\\",\\"target\\":\\"%s\\",\\"copy\\":\\"%s\\",\\"at\\":1}" \\
          $uuid $PWD/old $PWD/volume /var/lib/mailboot/headers/copy >/var/lib/mailboot/headers/$uuid.restoring
        v restore-header $file && exit 1
      done
      v restore-header two --force && ls /var/lib/mailboot/headers/*.replaced
      """)
    #expect(prepared.status == 0, "\(prepared.output)")
    #expect(prepared.output.contains("there is no terminal to ask at"), "\(prepared.output)")
    #expect(!prepared.output.contains("it goes on"), "\(prepared.output)")
  }

  @Test func aBackupOfBeforeARekeyIsRefused() throws {
    let place = try Place()
    try place.makeLUKS()
    let run = try place.run("v backup-header old && v rekey --key-file k && v restore-header old; echo status $?")
    #expect(run.output.contains("has another key than") && run.output.contains("status 64"), "\(run.output)")
    let forced = try place.run("v restore-header old --force && ls /var/lib/mailboot/headers/*.replaced")
    #expect(forced.status == 0 && forced.output.contains("nothing of it could be decrypted"), "\(forced.output)")
  }

  @Test func whatIsToBeDoneNextCanBeTypedAsItStands() throws {
    let place = try Place()
    try place.makeLUKS()
    try place.succeed("printf wrong >w; chmod 600 w")
    for (verb, said) in [
      ("test-key --key-file w", "`mailboot vault test-key` asks again"),
      ("enroll recovery --key-file w", "`mailboot vault enroll recovery` asks again"),
      ("restore-header volume", "is the vault itself"),
      ("create --file $PWD/volume --size 64M --new-key-file w", "name another place, or move away what is there"),
    ] {
      let run = try place.run("v \(verb)")
      #expect(run.status != 0 && run.output.contains(said), "\(verb): \(run.output)")
    }
  }

  @Test func aNewPassphraseThatIsEmptyIsRefusedAndOneOfTwoLinesIsWarnedAbout() throws {
    let place = try Place()
    try place.makeLUKS()
    try place.succeed(": >empty; printf 'new words\\n' >lines; chmod 600 empty lines")
    for verb in ["add-key", "change-key"] {
      let run = try place.run("v \(verb) --key-file k --new-key-file empty")
      #expect(run.status == 10 && run.output.contains("the passphrase is empty"), "\(verb): \(run.output)")
    }
    let lines = try place.run("v add-key --key-file k --new-key-file lines --memory 64M")
    #expect(lines.status == 0 && lines.output.contains("has a line break in it"), "\(lines.output)")
    let missing = try place.run("v test-key --key-file nosuch")
    #expect(missing.status == 64 && missing.output.contains("give the passphrase with `--stdin`"), "\(missing.output)")
  }

  @Test func aKeyChangeWhileTheVaultGetsANewKeySaysWhatEndsThat() throws {
    let place = try Place()
    try place.makeLUKS()
    try place.succeed(
      "cryptsetup reencrypt -q --init-only --force-offline-reencrypt --pbkdf pbkdf2 --pbkdf-force-iterations 1000 volume --key-file k"
    )
    for verb in ["add-key --key-file k --new-key-file k", "change-key --key-file k --new-key-file k", "remove-key 0"] {
      let run = try place.run("v \(verb)")
      #expect(run.status == 11 && run.output.contains("finish it: `mailboot vault rekey`"), "\(verb): \(run.output)")
    }
    let ended = try place.run("v rekey --key-file k && v remove-key 1")
    #expect(ended.status == 64 && ended.output.contains("the last one that opens"), "\(ended.output)")
  }

  @Test func whatAKindOrAnOldHeaderCannotDoItSays() throws {
    let place = try Place()
    try place.makeLUKS()
    try place.succeed(
      """
      rm volume; truncate -s 24M volume
      cryptsetup luksFormat -q --type luks1 --pbkdf-force-iterations 1000 volume --key-file k
      """)
    let old = try place.run("v enroll recovery --key-file k")
    #expect(old.status == 64 && old.output.contains("--type luks2"), "\(old.output)")
    for (verb, said) in [("grow", "is not grown in place"), ("trim", "cannot store it")] {
      let run = try place.run("sed -i \"s,^device,type = \\\"veracrypt\\\"\\ndevice,\" mailboot.toml; v \(verb)")
      #expect(run.status == 64 && run.output.contains(said), "\(verb): \(run.output)")
      try place.succeed("sed -i '/^type/d' mailboot.toml")
    }
  }

  /// A move was killed while the vault to come was open beside: it is as open as the other one.
  @Test func anEmergencyClosesWhatAMoveHasLeftOpen() throws {
    let place = try Place()
    try place.makeGocryptfs()
    let run = try place.run(
      """
      mkdir /run/mailboot/move && printf right | gocryptfs -q crypt /run/mailboot/move && sed -i s,/crypt,/nosuch, mailboot.toml
      \(builtProgram("mailboot")) lock --emergency --config mailboot.toml
      grep /run/mailboot/move /proc/self/mountinfo && umount /run/mailboot/move && exit 3
      true
      """)
    #expect(run.status == 0, "\(run.output)")
    #expect(run.output.contains("the key was gone"), "\(run.output)")
  }
}
