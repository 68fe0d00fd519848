import ArgumentParser
import Console
import Glibc
import JSON
import Linux
import MailAccounts
import MailHost
import QRCodes
import Text

struct ClientVerb: Verb {
  static let configuration = CommandConfiguration(
    commandName: "client", abstract: "Print what a user needs to set up a mail program.",
    discussion: """
      A page to be sent to the user: servers, ports, the user name; never a password. --format mobileconfig is a profile for iPhone, \
      iPad and Mac, signed if [web] in mailhost.toml names a certificate; with --publish it lies in the web root, and the page and its QR code \
      have the link to it.
      """)

  enum Format: String, ExpressibleByArgument, CaseIterable {
    case text, html, json, mobileconfig
  }

  @OptionGroup var host: HostOptions

  @Option(help: "text, html, json or mobileconfig.")
  var format = Format.text

  @Flag(inversion: .prefixedNo, help: "Draw the link to the profile as a QR code; by default at a terminal.")
  var qr: Bool?

  @Flag(help: "Put the account's profile into the web root, for whoever has the link to it.")
  var publish = false

  @Option(help: ArgumentHelp("Write this file, which is not there yet.", valueName: "file"))
  var output: String?

  @Argument(help: ArgumentHelp("The account's address.", valueName: "email"))
  var email: String

  func perform(_ terminal: Terminal) throws(HostFailure) -> Status {
    guard qr != true || format == .text else {
      throw HostFailure(.usage, "--qr is for --format text: \(format.rawValue) has the link itself")
    }
    if format == .mobileconfig, output == nil, isatty(1) == 1 {
      throw HostFailure(
        .usage, "a profile is nothing for a terminal", hint: "--output FILE, or redirect it: `> alice.mobileconfig`")
    }
    let settings = try host.settings()
    let root = HostRoot(prefix: host.prefix)
    let address = try account(HostedAccounts(settings: settings, root: root))
    let profile = AccountProfile(settings: settings, root: root, address: address)
    if publish {
      if root.isHere { try requireRoot("client --publish") }
      try profile.publish { tell($0) }
    }
    if format == .mobileconfig {
      try write(try profile.bytes())
      return 0
    }
    let link = profile.link
    let page = AccountPage(ClientServers(settings), address: address, profile: try? link.get())
    switch format {
    case .json: try write(Array((page.json.rendered() + "\n").utf8))
    case .html: try write(Array(page.html.utf8))
    case .text, .mobileconfig: try write(Array((page.text + code(link)).utf8))
    }
    return 0
  }

  /// The address as the database has it. While nobody can be looked up, as it was typed.
  private func account(_ accounts: HostedAccounts) throws(HostFailure) -> String {
    if accounts.isLocked {
      let address: String
      do {
        address = try EmailAddress(email).text
      } catch {
        throw HostFailure(.usage, error.description)
      }
      if publish {
        throw HostFailure(
          .locked, "the vault is locked: a user \(address) cannot be looked up, and nothing is published",
          hint: "`mailboot` unlocks it; then once more")
      }
      tell("warning: the vault is locked: whether there is a user \(address) cannot be looked up")
      return address
    }
    let user = try accounts.user(email)
    let name = visibleInLine(user.email)
    if !user.isActive { tell("warning: \(name) is disabled, and cannot log in: `mailcfg enable \(shellWord(name))`") }
    if !user.limits.sends { tell("warning: \(name) may only read: nothing can be sent from it") }
    return user.email
  }

  /// The link as a QR code, below the page; nothing where it is not wanted or not possible, which is told.
  private func code(_ link: Result<String, HostFailure>) -> String {
    let terminal = Terminal(descriptor: 1)
    guard qr ?? (output == nil && terminal.hasSigns) else { return "" }
    do throws(HostFailure) {
      let place = output == nil ? terminal : Terminal(columns: 80)
      let text = try link.get()
      do throws(QRFailure) {
        return "\n" + (try QRText(drawing: QRCode.drawing(text), terminal: place).text())
      } catch {
        throw HostFailure(.failed, error.summary, hint: error.hint)
      }
    } catch {
      tell("no QR code: " + visible(error.texts.joined() + (error.hint.map { "; \($0)" } ?? "")))
      return ""
    }
  }

  private func write(_ bytes: [UInt8]) throws(HostFailure) {
    guard let output else {
      guard writeAll(bytes, to: 1) else { throw HostFailure(.failed, "cannot write: \(errnoText())") }
      return
    }
    do throws(SystemError) {
      try writeNew(output, bytes, temporary: output + ".mailhost")
    } catch {
      throw HostFailure(.failed, error.text)
    }
    tell("wrote \(visible(output))")
  }
}
