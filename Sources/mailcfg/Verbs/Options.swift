import ArgumentParser
import Glibc
import MailAccounts

/// Which database, by which configuration: every verb has these.
struct DatabaseOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp("This database instead of the configured one, whatever is mounted.", valueName: "file"),
    completion: .file())
  var db: String?
  @Option(
    help: ArgumentHelp(
      "Read this file (and FILE.d/*.toml) instead of /etc/mailboot/mailboot.toml.", valueName: "file"),
    completion: .file())
  var config: String?

  /// The same for another call, from whatever directory.
  var words: [String] {
    [("--db", db), ("--config", config)].flatMap { name, value in value.map { [name, Self.absolute($0)] } ?? [] }
  }

  private static func absolute(_ path: String) -> String {
    guard !path.hasPrefix("/"), let directory = getcwd(nil, 0) else { return path }
    defer { free(directory) }
    return String(cString: directory) + "/" + path
  }
}

/// A verb that changes something.
struct ChangeOptions: ParsableArguments {
  @Flag(help: "Print what would be changed, and change nothing.")
  var dryRun = false
}

/// A verb that sets a password, or reads some that are to be hashed.
struct SchemeOption: ParsableArguments {
  @Option(help: "How the password is hashed, instead of as configured.")
  var scheme: PasswordScheme?
}

struct LimitsOptions: ParsableArguments {
  enum Use: String, EnumerableFlag {
    case sendOnly, receiveOnly, normal

    static func help(for use: Use) -> ArgumentHelp? {
      switch use {
      case .sendOnly: "It sends, and no mail is delivered to it."
      case .receiveOnly: "It receives, and may send nothing."
      case .normal: "It sends and receives."
      }
    }
  }

  @Flag(exclusivity: .exclusive)
  var use: Use?
  @Option(
    help: ArgumentHelp(
      "The most that the mailbox may hold, such as 2G; `none` takes the limit away.", valueName: "size"),
    transform: Quota.init)
  var quota: Quota?

  var change: LimitsChange {
    LimitsChange(
      receives: use.map { $0 != .sendOnly }, sends: use.map { $0 != .receiveOnly }, quota: quota.map(\.bytes))
  }
}

/// Which rows a list shows, and how.
struct ListOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Only those with this text in them.", valueName: "text"))
  var search: String?
  @Option(help: "How they are printed; at a terminal without it: a table.")
  var format: ListFormat?
}

struct DomainOption: ParsableArguments {
  @Option(help: ArgumentHelp("Only this domain's.", valueName: "domain"), completion: .domains)
  var domain: String?
}

/// A quota as it is typed: bytes, with K, M, G or T for powers of 1024, or `none`.
struct Quota {
  /// Nil: no limit.
  let bytes: Int64?

  struct NoSize: Error, CustomStringConvertible {
    let text: String
    var description: String { "\"\(text)\" is no size: a number of bytes such as 500M or 2G, or `none`" }
  }

  @Sendable init(_ text: String) throws(NoSize) {
    if text == "none" {
      bytes = nil
      return
    }
    let factors: [String: Int64] = ["K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40]
    let factor = text.last.flatMap { factors[$0.uppercased()] }
    let digits = factor == nil ? text[...] : text.dropLast()
    let isPlain = !digits.isEmpty && digits.utf8.allSatisfy { (0x30...0x39).contains($0) }
    guard isPlain, let number = Int64(digits), number > 0 else { throw NoSize(text: text) }
    let (product, overflow) = number.multipliedReportingOverflow(by: factor ?? 1)
    guard !overflow else { throw NoSize(text: text) }
    bytes = product
  }
}

/// dovecot's names, in any case.
extension PasswordScheme: ExpressibleByArgument {
  public init?(argument: String) { self.init(rawValue: argument.uppercased()) }
}
