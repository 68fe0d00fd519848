import Foundation
import TestSupport
import Testing

/// `mailboot vault create` as far as this kernel has what it takes: directories of gocryptfs, and what is refused before anything is made.
@Suite(.serialized) struct VaultCreateTests {
  /// A configuration and a place of its own.
  private final class Place {
    let path: String
    var configuration: String { path + "/mailboot.toml" }
    var dropIn: String { path + "/mailboot.toml.d/50-vault.toml" }
    var vault: String { path + "/crypt" }

    init() throws {
      // Not below /tmp, where everybody may write.
      path = "/root/vault-create-" + UUID().uuidString
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
      try "[vault]\nmount = \"\(path)/vault\"\n".write(toFile: configuration, atomically: true, encoding: .utf8)
    }

    /// What create has saved outside of it.
    private var headers: [String] = []

    deinit { for path in [path] + headers { try? FileManager.default.removeItem(atPath: path) } }

    func create(_ arguments: String, passphrase: String = "otter lamp grammar ocelot") throws -> (
      status: Int32, output: String
    ) {
      let run = try runInShell(
        "printf '\(passphrase)\\n' | \(try builtProgram("mailboot")) vault create --stdin --config \(configuration) \(arguments)"
      )
      headers += run.output.matches(of: /is saved in (\S+)/).map { String($0.1) }
      return run
    }

    func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }
  }

  @Test func anEncryptedDirectoryIsMadeThatGocryptfsReads() throws {
    let place = try Place()
    let made = try place.create("--type gocryptfs --directory \(place.vault)")
    #expect(made.status == 0, "\(made.output)")
    #expect(made.output.contains("made; open it: `mailboot`"))
    #expect(try runInShell("gocryptfs -info \(place.vault)").output.contains("contentEncryption: AES-GCM-256"))
    let opened = try runInShell(
      "mkdir \(place.path)/m && printf 'otter lamp grammar ocelot' | gocryptfs -q -ro \(place.vault) \(place.path)/m && ls \(place.path)/m; "
        + "stat -c %a \(place.path)/m; umount \(place.path)/m")
    #expect(opened.output.contains("maildb"), "\(opened.output)")
    #expect(opened.output.contains("755"), "\(opened.output)")
    let settings = try String(contentsOfFile: place.dropIn, encoding: .utf8)
    #expect(settings.contains("type = \"gocryptfs\"\ndevice = \"\(place.vault)\"\nmount = \"\(place.path)/vault\"\n"))
    // A second one would leave the first behind.
    let again = try place.create("--type gocryptfs --directory \(place.vault)2")
    #expect(again.status == 64)
    #expect(again.output.contains("names a vault already"))
    #expect(!place.exists(place.vault + "2"))
  }

  @Test func oneThatIsNotConfiguredYetOnlyGetsItsConfiguration() throws {
    let place = try Place()
    #expect(try place.create("--type gocryptfs --directory \(place.vault)").status == 0)
    let key = try Data(contentsOf: URL(fileURLWithPath: place.vault + "/gocryptfs.conf"))
    try FileManager.default.removeItem(atPath: place.dropIn)
    let again = try place.create("--type gocryptfs --directory \(place.vault)")
    #expect(again.status == 0)
    #expect(again.output.contains("a vault that was made already"))
    #expect(try Data(contentsOf: URL(fileURLWithPath: place.vault + "/gocryptfs.conf")) == key)
    #expect(place.exists(place.dropIn))
  }

  @Test func besideAnotherConfigurationNothingOfThisHostIsTouched() throws {
    let place = try Place()
    let run = try runInShell(
      "printf 'otter lamp grammar ocelot\\n' | strace -f -qq -e trace=execve,openat -o \(place.path)/calls "
        + "\(builtProgram("mailboot")) vault create --stdin --config \(place.configuration) --type gocryptfs --directory \(place.vault)"
    )
    for match in run.output.matches(of: /is saved in (\S+)/) {
      try FileManager.default.removeItem(atPath: String(match.1))
    }
    #expect(run.status == 0, "\(run.output)")
    let calls = try String(contentsOfFile: place.path + "/calls", encoding: .utf8)
    #expect(calls.contains("execve(\"/usr/bin/gocryptfs\""))
    #expect(!calls.contains("systemctl") && !calls.contains("/var/lib/mailhost"))
  }

  /// Killed with all that it has started, as by a power cut: whatever is there, the next call ends with a whole vault.
  @Test func killedAtAnyMomentItBeginsAnew() throws {
    let place = try Place()
    let program = try builtProgram("mailboot")
    var interrupted = 0
    for step in 0..<14 {
      let milliseconds = 40 + step * 60
      let killed = try runInShell(
        """
        printf 'otter lamp grammar ocelot\\n' >\(place.path)/p
        setsid --wait timeout -s KILL 0.\(String(1000 + milliseconds).dropFirst()) \
          \(program) vault create --stdin --config \(place.configuration) --type gocryptfs --directory \(place.vault) <\(place.path)/p
        """)
      // What it has started outlives it; a power cut leaves nobody at work.
      _ = try runInShell("for try in $(seq 10); do pgrep -f '[-]init -q \(place.vault)' || break; sleep 0.3; done")
      if place.exists(place.dropIn) { break }
      #expect(killed.status != 0)
      interrupted += 1
      // Never anything that could be taken for a vault and is none.
      if place.exists(place.vault) {
        #expect(try runInShell("gocryptfs -info \(place.vault)").status == 0)
        #expect(place.exists(place.vault + "/gocryptfs.diriv"))
        break
      }
    }
    #expect(interrupted > 2)
    let last = try place.create("--type gocryptfs --directory \(place.vault)")
    #expect(last.status == 0 || last.output.contains("names a vault already"), "\(last.output)")
    let opened = try runInShell(
      "mkdir \(place.path)/m && printf 'otter lamp grammar ocelot' | gocryptfs -q -ro \(place.vault) \(place.path)/m && ls \(place.path)/m; "
        + "umount \(place.path)/m")
    #expect(opened.output.contains("maildb"), "\(opened.output)")
    #expect(!place.exists(place.vault + ".unfinished"))
  }

  @Test func aBadPlaceIsRefusedBeforeAnythingIsMade() throws {
    let place = try Place()
    try FileManager.default.createDirectory(atPath: place.vault, withIntermediateDirectories: true)
    try "mail".write(toFile: place.vault + "/file", atomically: true, encoding: .utf8)
    try Data().write(to: URL(fileURLWithPath: place.path + "/file"))
    for (arguments, status, said) in [
      ("--type gocryptfs --directory \(place.vault)", 11, "is not empty: file"),
      ("--type gocryptfs --directory \(place.path)/file", 11, "there is such a file already"),
      ("--type gocryptfs --directory /tmp/vault-of-nobody/crypt", 64, "would not be safe there"),
      ("--type gocryptfs --directory relative", 64, "absolute path"),
      ("--file \(place.path)/file --size 100M", 11, "there is such a file already"),
      ("--file \(place.path)/new --size 4M", 11, "4 MiB are wanted, and a vault takes 48"),
      ("--file \(place.path)/new --size 900000G", 11, "are wanted, and"),
      ("--file \(place.path)/new", 64, "how large the file is to be is not said"),
      ("/dev/null", 64, "/dev/null is no block device"),
      ("/dev/nosuch", 11, "there is no device /dev/nosuch"),
      ("", 64, "where the vault is to be is not said"),
      ("--size 10X", 64, "--size takes a size such as 10G"),
      ("--size 1G --filesystem fat", 64, "--filesystem takes ext4, xfs or btrfs"),
      ("--size 1G --type none", 64, "--type takes luks or gocryptfs"),
      ("--next --name backup --size 1G", 64, "do not go together"),
    ] as [(String, Int32, String)] {
      let run = try place.create(arguments)
      #expect(run.status == status, "\(arguments): \(run.output)")
      #expect(run.output.contains(said), "\(arguments): \(run.output)")
    }
    #expect(!place.exists(place.dropIn))
    #expect(!place.exists(place.path + "/new"))
    #expect(try String(contentsOfFile: place.vault + "/file", encoding: .utf8) == "mail")
  }

  /// Whoever insists: two names for one vault, or one that is kept and then is gone.
  @Test func whatIsAnotherVaultOfThisHostIsLeftAlone() throws {
    let place = try Place()
    let mine = place.path + "/mine"
    #expect(try place.create("--type gocryptfs --directory \(mine)").status == 0)
    let again = try place.create("--type gocryptfs --directory \(mine) --name more --erase")
    #expect(again.status == 64, "\(again.output)")
    #expect(again.output.contains("is configured as the vault vault"), "\(again.output)")
    try "[vault]\ntype = \"gocryptfs\"\ndevice = \"\(place.vault)\"\nmount = \"\(place.path)/vault\"\n".write(
      toFile: place.path + "/previous-vault.toml", atomically: true, encoding: .utf8)
    try FileManager.default.createDirectory(atPath: place.vault, withIntermediateDirectories: true)
    let kept = try place.create("--type gocryptfs --directory \(place.vault) --next")
    #expect(kept.status == 64, "\(kept.output)")
    #expect(kept.output.contains("the vault before the last move, which is kept"), "\(kept.output)")
    #expect(kept.output.contains("mailboot vault move --forget"))
    let named = try place.create("--type gocryptfs --directory \(place.vault) --vault vault")
    #expect(named.status == 64 && named.output.contains("names a vault that is there"), "\(named.output)")
    #expect(try FileManager.default.contentsOfDirectory(atPath: place.vault).isEmpty)
  }

  /// With it no vault of this host could be opened any more.
  @Test(arguments: ["--mount PLACE/vault", "--name vault", "--name abcdefghijklmnopqrstuvwxyz-abcdefghijklmnop"])
  func aConfigurationThatWouldNotBeReadIsNotWritten(_ arguments: String) throws {
    let place = try Place()
    #expect(try place.create("--type gocryptfs --directory \(place.path)/mine").status == 0)
    let wanted = arguments.replacing("PLACE", with: place.path)
    let run = try place.create("--type gocryptfs --directory \(place.vault) --name more \(wanted)")
    #expect(run.status == 64, "\(run.output)")
    #expect(!place.exists(place.vault))
    let check = try runInShell("\(try builtProgram("mailboot")) config check --config \(place.configuration)")
    #expect(check.status == 0, "\(check.output)")
  }

  /// Of the root's file system; empty where that is none of a block device's.
  private static let rootDisk =
    (try? runInShell("lsblk -n -o PATH,MOUNTPOINT | awk '$2 == \"/\" { print $1; exit }'").output)?
    .trimmingCharacters(in: .whitespacesAndNewlines) ?? ""

  @Test(.enabled(if: !rootDisk.isEmpty, "the root is on no block device"))
  func aDiskInUseIsRefused() throws {
    let place = try Place()
    let disk = Self.rootDisk
    let run = try place.create("\(disk) --erase")
    #expect(run.status == 11)
    #expect(run.output.contains("is mounted on /"), "\(run.output)")
  }

  @Test func anEmptyPassphraseAndOneWithALineBreakInItMakeNothing() throws {
    let place = try Place()
    #expect(try place.create("--type gocryptfs --directory \(place.vault)", passphrase: "").status == 10)
    #expect(!place.exists(place.vault))
  }
}
