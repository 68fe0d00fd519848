// swift-tools-version: 6.2
import PackageDescription

/// Every target of ours: Swift 6 mode comes with the tools version; a warning is an error.
let strict: [SwiftSetting] = [
  .treatAllWarnings(as: .error),
  // Else `text.contains("x")` means Foundation's in every file of a target that imports TOMLKit, and drags in 45 MB of it.
  .enableUpcomingFeature("MemberImportVisibility"),
]

let package = Package(
  name: "mailboot",
  products: [
    .executable(name: "mailboot", targets: ["mailboot"]),
    .executable(name: "mailboot-worker", targets: ["mailboot-worker"]),
    .executable(name: "mailcfg", targets: ["mailcfg"]),
    .executable(name: "mailhost", targets: ["mailhost"]),
    .executable(name: "mailboot-machine", targets: ["mailboot-machine"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/LebJe/TOMLKit", from: "0.6.0"),
    .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.1.1"),
  ],
  targets: [
    // What C offers us. Header-only: no C is compiled.
    .systemLibrary(name: "CCryptsetup", pkgConfig: "libcryptsetup", providers: [.apt(["libcryptsetup-dev"])]),
    .systemLibrary(name: "CSystemd", pkgConfig: "libsystemd", providers: [.apt(["libsystemd-dev"])]),
    .systemLibrary(name: "COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),
    // No pkg-config for these: they are linked statically, see the linker settings of the targets that use them; CQRCode is loaded when it
    // is needed.
    .systemLibrary(name: "CSQLite", providers: [.apt(["libsqlite3-dev"])]),
    .systemLibrary(name: "CPassword", providers: [.apt(["libcrypt-dev", "libargon2-dev"])]),
    .systemLibrary(name: "CQRCode", providers: [.apt(["libqrencode-dev"])]),
    .systemLibrary(name: "CIDN", providers: [.apt(["libidn2-dev", "libunistring-dev"])]),
    .systemLibrary(name: "CLDNS", providers: [.apt(["libldns-dev"])]),
    .systemLibrary(name: "CLinux"),

    .target(name: "Console", dependencies: ["Linux", "CLinux"], swiftSettings: strict),
    .target(
      name: "CommandLineArguments",
      dependencies: ["Text", .product(name: "ArgumentParser", package: "swift-argument-parser")],
      swiftSettings: strict),
    .target(name: "SecretMemory", dependencies: ["Linux", "CLinux"], swiftSettings: strict),
    .target(
      name: "Cryptsetup", dependencies: ["Linux", "JSON", "CCryptsetup", "CLinux", "COpenSSL", "SecretMemory"],
      swiftSettings: strict),
    .target(name: "Systemd", dependencies: ["Linux", "CSystemd", "CLinux", "SecretMemory"], swiftSettings: strict),
    .target(name: "Linux", dependencies: ["CLinux"], swiftSettings: strict),
    .target(name: "JSON", dependencies: ["Text"], swiftSettings: strict),
    .target(name: "Text", swiftSettings: strict),
    // Codes at a terminal.
    .target(name: "QRCodes", dependencies: ["CQRCode", "Console"], swiftSettings: strict),
    .target(name: "MailbootCore", dependencies: ["JSON", "SecretMemory", "Text"], swiftSettings: strict),
    .target(
      name: "SQLite", dependencies: ["CSQLite"],
      swiftSettings: strict,
      // Statically: the package then depends on no libsqlite3, and every host works with the same version.
      linkerSettings: [.unsafeFlags(["-Xlinker", "-l:libsqlite3.a"]), .linkedLibrary("m")]),
    .target(
      name: "HostChecks", dependencies: ["Linux", "COpenSSL", "SQLite", "CLinux", "JSON", "MailbootCore", "Text"],
      swiftSettings: strict),
    .target(
      name: "MailbootHost",
      dependencies: ["CLinux", "JSON", "Linux", "SecretMemory", "Systemd", "MailbootCore", "Text"],
      swiftSettings: strict),
    .target(
      name: "MailbootConfiguration",
      dependencies: [
        "JSON", "Linux", "MailbootCore", "MailbootHost", "Text", .product(name: "TOMLKit", package: "TOMLKit"),
      ],
      swiftSettings: strict),
    .executableTarget(
      name: "mailboot",
      dependencies: [
        "CLinux", "CommandLineArguments", "Console", "JSON", "Linux", "QRCodes", "SecretMemory", "Systemd", "Text",
        "MailbootConfiguration", "MailbootCore", "MailbootHost",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: strict),
    .executableTarget(
      name: "mailboot-worker",
      dependencies: ["Linux", "CLinux", "JSON", "SecretMemory", "Cryptsetup", "HostChecks", "MailbootCore", "Text"],
      swiftSettings: strict),

    .target(
      name: "MailAccounts",
      dependencies: [
        "CPassword", "CIDN", "CLinux", "Linux", "SQLite", "SecretMemory", "MailbootCore", "JSON", "Text",
      ],
      swiftSettings: strict,
      // Statically: a call of mailcfg takes a millisecond, and finding four more libraries would take another.
      linkerSettings: [
        .unsafeFlags([
          "-Xlinker", "-l:libcrypt.a", "-Xlinker", "-l:libargon2.a", "-Xlinker", "-l:libidn2.a", "-Xlinker",
          "-l:libunistring.a",
        ])
      ]),
    // Without TOMLKit, whose start-up alone takes longer than most calls: `mailboot` is asked for the configuration, where there is one.
    .executableTarget(
      name: "mailcfg",
      dependencies: [
        "CLinux", "CommandLineArguments", "Console", "JSON", "Linux", "MailAccounts", "MailbootCore", "SecretMemory",
        "Text", .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: strict),

    // Files encrypted as age(1) does it.
    .target(
      name: "AgeFile", dependencies: ["CLinux", "COpenSSL", "Linux", "SecretMemory"], swiftSettings: strict),
    // Questions to name servers, and what all of them say together.
    .target(
      name: "DNS", dependencies: ["CLDNS", "COpenSSL"],
      swiftSettings: strict,
      // Statically: its package has another name in each release.
      linkerSettings: [.unsafeFlags(["-Xlinker", "-l:libldns.a"])]),
    // What a mail host is to be: settings, the files rendered from them, the difference to what is there.
    .target(
      name: "MailHost",
      dependencies: [
        "CLinux", "COpenSSL", "DNS", "JSON", "Linux", "MailbootCore", "Text",
      ],
      swiftSettings: strict),
    // What a mail host does, seen by real protocols.
    .target(
      name: "MailHostProof",
      dependencies: ["CLinux", "COpenSSL", "HostChecks", "JSON", "Linux", "MailbootCore", "Text"],
      swiftSettings: strict),
    .executableTarget(
      name: "mailhost",
      dependencies: [
        "AgeFile", "CLinux", "CommandLineArguments", "Console", "DNS", "HostChecks", "JSON", "Linux",
        "MailAccounts", "MailHost", "MailHostProof", "MailbootConfiguration", "MailbootCore", "QRCodes", "SecretMemory",
        "Text",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: strict),

    // The disposable mail hosts: a library that drives them, and its command line for `make`.
    .target(name: "MachineKit", path: "Tests/MachineKit", swiftSettings: strict),
    .executableTarget(
      name: "mailboot-machine", dependencies: ["MachineKit"], path: "Tests/mailboot-machine",
      swiftSettings: strict),

    // What the scenes on both kinds of host need.
    .target(name: "SceneSupport", dependencies: ["MachineKit"], path: "Tests/SceneSupport", swiftSettings: strict),
    // What tests of several targets need.
    .target(name: "TestSupport", dependencies: ["SQLite"], path: "Tests/TestSupport", swiftSettings: strict),

    .testTarget(name: "SecretMemoryTests", dependencies: ["Linux", "SecretMemory", "CLinux"], swiftSettings: strict),
    .testTarget(
      name: "CryptsetupTests",
      dependencies: [
        "JSON", "Text", "Linux", "Cryptsetup", "CCryptsetup", "SecretMemory", "MailbootCore", "mailboot-worker",
        "TestSupport",
      ],
      swiftSettings: strict),
    .testTarget(
      name: "SystemdTests",
      dependencies: [
        "Linux", "Systemd", "CLinux", "SecretMemory", "TestSupport", "mailboot", "mailboot-worker",
      ],
      swiftSettings: strict),
    .testTarget(
      name: "AgeFileTests", dependencies: ["AgeFile", "Linux", "SecretMemory", "TestSupport"], exclude: ["Vectors"],
      swiftSettings: strict),
    .testTarget(name: "DNSTests", dependencies: ["DNS", "TestSupport"], swiftSettings: strict),
    .testTarget(name: "TextTests", dependencies: ["Text"], swiftSettings: strict),
    .testTarget(name: "JSONTests", dependencies: ["JSON"], swiftSettings: strict),
    .testTarget(
      name: "MailbootCoreTests", dependencies: ["JSON", "Text", "MailbootCore", "SecretMemory", "TestSupport"],
      swiftSettings: strict),
    .testTarget(
      name: "MailbootHostTests",
      dependencies: [
        "JSON", "Text", "Linux", "MailbootHost", "MailbootCore", "SecretMemory", "Systemd", "CLinux", "TestSupport",
      ],
      swiftSettings: strict),
    .testTarget(
      name: "MailbootConfigurationTests",
      dependencies: [
        "JSON", "Text", "Linux", "MailbootConfiguration", "MailbootHost", "MailbootCore", "CLinux", "TestSupport",
      ],
      swiftSettings: strict),
    .testTarget(
      name: "HostChecksTests",
      dependencies: [
        "JSON", "Text", "Linux", "HostChecks", "MailbootCore", "COpenSSL", "CSQLite", "CLinux", "TestSupport",
      ],
      swiftSettings: strict),
    .testTarget(
      name: "MailAccountsTests",
      dependencies: [
        "JSON", "Text", "MailAccounts", "SQLite", "MailbootCore", "SecretMemory", "CLinux", "TestSupport",
      ],
      swiftSettings: strict),
    .testTarget(
      name: "MailcfgTests", dependencies: ["MailbootCore", "mailcfg", "mailboot", "TestSupport"], swiftSettings: strict),
    .testTarget(
      name: "MailbootTests", dependencies: ["mailboot", "TestSupport"], swiftSettings: strict),
    .testTarget(
      name: "MailHostTests",
      dependencies: [
        "DNS", "JSON", "Linux", "MailHost", "MailHostProof", "MailbootConfiguration", "MailbootCore", "TestSupport",
        "QRCodes", "Text", "mailhost",
        // What our own renderer of templates is held against.
        .product(name: "Mustache", package: "swift-mustache"),
      ],
      exclude: ["Fixtures"],
      swiftSettings: strict),
    .testTarget(
      name: "MailHostProofTests",
      dependencies: [
        "CLinux", "COpenSSL", "HostChecks", "JSON", "Linux", "MailHostProof", "MailbootCore", "TestSupport",
      ],
      swiftSettings: strict),
    .testTarget(name: "MachineKitTests", dependencies: ["MachineKit"], swiftSettings: strict),
    // Scenes: what a host can show natively, and what takes a machine with a kernel of its own, and LUKS.
    .testTarget(name: "HostTests", dependencies: ["MachineKit", "SceneSupport"], swiftSettings: strict),
    .testTarget(name: "MachineTests", dependencies: ["MachineKit", "SceneSupport"], swiftSettings: strict),
  ],
  swiftLanguageModes: [.v6],
  cxxLanguageStandard: .cxx17
)
