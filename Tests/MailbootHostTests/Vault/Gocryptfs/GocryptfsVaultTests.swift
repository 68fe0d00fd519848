import Foundation
import MailbootCore
import SecretMemory
import TestSupport
import Testing

@testable import MailbootHost

/// With the real gocryptfs, mounted for real.
@Suite(.enabled(if: geteuid() == 0, "only root may mount for others"))
struct GocryptfsVaultTests {
  private let directory: EncryptedDirectory

  init() throws { directory = try EncryptedDirectory() }

  @Test func whatIsOpenIsTheMount() throws {
    #expect(try directory.opening() == .closed)
    try directory.mount()
    let table = try #require(MountTable.current())
    let (opening, mount) = try directory.vault.observe(table)
    let entry = try #require(table.mount(on: directory.mountPoint))
    #expect(opening == .open(OpenVault(device: entry.device, backing: directory.path)))
    #expect(mount?.device == entry.device && mount?.filesystem == "fuse.gocryptfs")
    #expect(mount?.sizeBytes ?? 0 > 0)
    #expect(directory.vault.fileSystem(table) == entry.device)
    #expect(try directory.vault.isThereInEmergency())
  }

  @Test func anotherDirectorysMountIsNotOurs() throws {
    let other = try EncryptedDirectory()
    try other.mount()
    var configuration = directory.configuration
    configuration.vault.mount = other.mountPoint
    let (opening, mount) = try GocryptfsVault(configuration).observe(try #require(MountTable.current()))
    #expect(opening == .closed)
    #expect(mount?.source == other.path)
  }

  @Test func killedWhileMountedItIsBroken() throws {
    try directory.mount()
    try directory.signal(SIGKILL)
    let why = "gocryptfs has ended without unmounting: nobody can read or write in \(directory.mountPoint)"
    #expect(try directory.opening() == .broken(why))
    #expect(try directory.opening().breakdown == .broken(why))
    // What is left is still there to be cleared away.
    #expect(try directory.vault.isThereInEmergency())
    umount2(directory.mountPoint, Int32(MNT_DETACH))
    #expect(try directory.opening() == .closed)
  }

  @Test func stoppedItIsOpenAndSaidNotToAnswerAndNobodyHangs() throws {
    try directory.mount()
    try directory.signal(SIGSTOP)
    let begun = Reactor.monotonic()
    let vault = directory.vault
    let table = try #require(MountTable.current())
    let opening = try vault.observe(table).opening
    #expect(opening.vault?.answers == false)
    #expect(
      opening.breakdown == .stuck("gocryptfs does not answer: whoever uses \(directory.mountPoint) hangs"))
    let first = Reactor.monotonic() - begun
    #expect(first < SpaceQuestion.patience + 1)
    // The same question is not waited for again.
    #expect(try vault.observe(table).opening == opening)
    #expect(Reactor.monotonic() - begun < first + 0.5)
    try directory.signal(SIGCONT)
    try directory.waitUntil("it answers again") { try vault.observe(table).opening.breakdown == nil }
  }

  // MARK: Its users and its process

  @Test(arguments: [false, true])
  func whoeverUsesItIsFoundDeadOrAlive(_ isDead: Bool) throws {
    try directory.mount()
    let user = Process()
    user.executableURL = URL(fileURLWithPath: "/bin/sleep")
    user.arguments = ["600"]
    user.currentDirectoryURL = URL(fileURLWithPath: directory.mountPoint)
    try user.run()
    defer {
      // Threads of the pool have other signals blocked, and so have their children.
      kill(user.processIdentifier, SIGKILL)
      user.waitUntilExit()
    }
    if isDead { try directory.signal(SIGKILL) }
    let device = try #require(
      MountTable.current().flatMap(directory.vault.fileSystem).flatMap { DeviceNumber($0) })
    let holders = MountHolders(device: device, mountPoints: [directory.mountPoint])
    let holder = try #require(holders.processes().first { $0.pid == user.processIdentifier })
    #expect(holder.use == .workingDirectory)
    // gocryptfs itself does not use what it serves.
    #expect(holders.processes().allSatisfy { $0.command != "gocryptfs" })
  }

  @Test func itsProcessIsFoundHoweverItsArgumentsAreWritten() throws {
    let process = try directory.mount(in: directory.path) { arguments in
      arguments.dropLast(2) + ["../crypt/.", directory.path + "/../clear/"]
    }
    let found = GocryptfsProcess.all(directory: directory.path, mount: directory.mountPoint)
    #expect(found == [process.processIdentifier])
  }

  @Test func inAnEmergencyTheKeyGoesWithTheProcess() throws {
    let process = try directory.mount()
    try directory.signal(SIGSTOP)
    // It takes no part in it.
    let worker = Worker(path: "/nonexistent")
    let vault = directory.vault
    #expect(try withReactor { try vault.revokeKey(worker, $0) } == .changed)
    process.waitUntilExit()
    #expect(process.terminationReason == .uncaughtSignal && process.terminationStatus == SIGKILL)
    // Nobody uses it, so that its mount has gone as well.
    #expect(try directory.opening() == .closed)
    #expect(try withReactor { try vault.closeInEmergency(worker, $0) } == .unchanged)
  }

  @Test func inAnEmergencyTheMountOfWhoeverUsesItIsLeftDead() throws {
    try directory.mount()
    let file = open(directory.mountPoint + "/mail", O_CREAT | O_RDWR, 0o600)
    try #require(file >= 0)
    defer { close(file) }
    let vault = directory.vault
    let worker = Worker(path: "/nonexistent")
    #expect(try withReactor { try vault.revokeKey(worker, $0) } == .changed)
    #expect(write(file, "x", 1) == -1 && errno == ENOTCONN)
    guard case .broken = try directory.opening() else {
      Issue.record("\(try directory.opening())")
      return
    }
    // As long as it is mounted it is not cleared.
    #expect(throws: Failure.self) { try withReactor { try vault.closeInEmergency(worker, $0) } }
    umount2(directory.mountPoint, Int32(MNT_DETACH))
    #expect(try withReactor { try vault.closeInEmergency(worker, $0) } == .unchanged)
  }

  /// In the moment after it has mounted, gocryptfs has a file of its own mount open.
  @Test func killedJustWhenItHasMountedItEndsToo() throws {
    for _ in 0..<5 {
      let process = try directory.mount(waits: false)
      let vault = directory.vault
      try directory.waitUntil("it is mounted") { MountTable.current()?.mount(on: directory.mountPoint) != nil }
      #expect(try withReactor { try vault.revokeKey(Worker(path: "/nonexistent"), $0) } == .changed)
      process.waitUntilExit()
      umount2(directory.mountPoint, Int32(MNT_DETACH))
    }
  }

  @Test(arguments: [
    ("/a/b", "/a/b"), ("/a/./b/", "/a/b"), ("/a/../b", "/b"), ("/../b", "/b"), ("/a//b", "/a/b"), ("/", "/"),
  ])
  func dotsAreTakenOutOfAPath(_ path: String, _ plain: String) {
    #expect(GocryptfsProcess.plain(path) == plain)
  }

  // MARK: What goes wrong

  /// What gocryptfs ended with, in our words.
  private func failure(of ended: (status: Int32, said: [String])) -> Failure {
    directory.vault.failure(status: ended.status, said: ended.said.map { "gocryptfs: \($0)" }, endsInCR: false)
  }

  @Test func aWrongPassphraseIsRefused() throws {
    let failure = self.failure(of: try directory.tryToMount(passphrase: "wrong"))
    #expect(failure == .passphraseRefused(tries: 1, empty: false, endsInCarriageReturn: false))
    #expect(failure.exitCode.rawValue == 10)
  }

  @Test func everyByteOfThePassphraseCounts() throws {
    for wrong in ["correct horse\r", "correct horse ", " correct horse", "correct hors"] {
      #expect(failure(of: try directory.tryToMount(passphrase: wrong)).exitCode == .passphrase)
    }
  }

  /// The limits that are said before trying are the program's own.
  @Test func gocryptfsTakesNoMoreThan2048Bytes() throws {
    #expect(try directory.tryToMount(passphrase: String(repeating: "a", count: 2048)).status == 12)
    #expect(try directory.tryToMount(passphrase: String(repeating: "a", count: 2049)).status == 9)
    #expect(try unusable(String(repeating: "a", count: 2048)) == nil)
    #expect(try unusable(String(repeating: "a", count: 2049)) == "it has 2049 bytes, and gocryptfs takes 2048")
    #expect(try unusable("a\nb") == "it contains a newline, which gocryptfs takes for its end")
    #expect(try unusable("correct horse\n") != nil)
    #expect(try unusable("correct\rhorse\0") == nil)
  }

  private func unusable(_ text: String) throws -> String? {
    var passphrase = try SecretBytes(capacity: 4096)
    for byte in text.utf8 { try passphrase.append(byte) }
    return directory.vault.unusable(passphrase)
  }

  @Test func aFeatureItDoesNotKnowIsSaid() throws {
    let file = directory.path + "/gocryptfs.conf"
    let text = try String(contentsOfFile: file, encoding: .utf8).replacing("\"DirIV\"", with: "\"Unknown\"")
    try FileManager.default.removeItem(atPath: file)
    try text.write(toFile: file, atomically: false, encoding: .utf8)
    let failure = self.failure(of: try directory.tryToMount())
    #expect(failure.exitCode.rawValue == 11)
    #expect(failure.summary.hasPrefix("\(directory.path)/gocryptfs.conf cannot be used: "))
    #expect(failure.summary.contains("Unknown"))
  }

  @Test func aDirectoryThatIsGoneIsSaid() throws {
    try FileManager.default.moveItem(atPath: directory.path, toPath: directory.path + ".old")
    let failure = self.failure(of: try directory.tryToMount())
    #expect(failure.exitCode.rawValue == 11)
    #expect(failure.summary.hasPrefix("there is no directory \(directory.path): "))
  }

  @Test func anOptionThatFUSEDoesNotKnowIsNamed() throws {
    let failure = self.failure(of: try directory.tryToMount(options: ["bogus"]))
    #expect(failure.exitCode.rawValue == 12)
    guard case .mount(.refused(_, let lines), let path) = failure else {
      Issue.record("\(failure)")
      return
    }
    #expect(path == directory.mountPoint)
    #expect("\(lines)\(failure.summary)".contains("bogus") || "\(failure.summary)".contains("invalid argument"))
  }

  @Test func aMountPointThatIsNotEmptyIsRefused() throws {
    try "".write(toFile: directory.mountPoint + "/stray", atomically: false, encoding: .utf8)
    let failure = self.failure(of: try directory.tryToMount())
    #expect(failure.exitCode.rawValue == 12)
    #expect(failure.summary.contains("not empty"))
  }
}
