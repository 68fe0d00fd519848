extension RelaySettings {
  /// The packages that such a machine needs: postfix, what its logins take, and who may sign certificates.
  public static let packages = ["ca-certificates", "libsasl2-modules", "postfix"]
  public static let path = "/etc/mailboot/relay.toml"
  /// What the names of all files with passwords begin with.
  public static let passwordName = "mailhost-login"
  /// One line, `[host]:port login:password`, for root alone. Not among ``render(on:templates:)``: its contents are never held as text.
  /// Each login has a file of its own, so that main.cf, old or new, always finds the password that belongs to it.
  public var passwordPath: String { "/etc/postfix/\(Self.passwordName).\(host).\(port).\(login)" }

  /// What of the line in ``passwordPath`` stands before the password.
  public var passwordPrefix: String { "[\(host)]:\(port) \(login):" }

  /// Why this machine cannot send by these settings; nil: it can.
  /// - Parameter machine: its name.
  public func problem(on machine: String) -> String? {
    if machine == host { return "this machine is \(host) itself" }
    // Its mail could not be told from that of the domain's users.
    if machine == domain { return "this machine is named \(domain), as the domain of \(login)" }
    return nil
  }

  /// Whether the name service has told a full name of this machine.
  public static func isMachineName(_ text: String) -> Bool { isHostName(text) && !text.hasPrefix("localhost.") }

  /// Every file of ours, but the password. All that depends on host and login is in main.cf, which is replaced in one step: a mail never
  /// leaves by half of the old and half of the new.
  /// - Parameter machine: the machine's name, with its domain if it has one.
  public func render(on machine: String, templates: TemplateSource) throws(Template.Invalid) -> [RenderedFile] {
    let full = machine.contains(".") ? machine : machine + ".localdomain"
    let short = full.prefix { $0 != "." }
    var names = [full]
    for name in [String(short), "localhost", "localhost.localdomain"] where !names.contains(name) { names.append(name) }
    let values: [String: Any] = [
      "header": Self.header, "host_name": full, "relay_host": host, "relay_port": String(port),
      "wrapped": port == 465 ? "yes" : "no", "login": passwordPath, "account": login,
      "administrator": administrator, "full_pattern": pattern(full),
      // relay@ may send as anybody of the domain, any other login as itself.
      "own_pattern": user == "relay" ? ".*" : pattern(user) + "(\\+[^@]*)?",
      "names": names.map(pattern).joined(separator: "|"), "short_name": String(short),
      "sender_user": user, "sender_domain": domain,
      "sender_user_pattern": pattern(user), "sender_domain_pattern": pattern(domain),
    ]
    let files = [
      HostFile(path: Self.path, template: "relay/relay.toml", syntax: .toml, reader: .nobody),
      HostFile(path: "/etc/postfix/main.cf", template: "relay/main.cf", syntax: .postfixMain, reader: .postfix),
      HostFile(path: "/etc/postfix/master.cf", template: "relay/master.cf", syntax: .postfixMaster, reader: .postfix),
    ]
    var rendered: [RenderedFile] = []
    for file in files {
      guard let text = templates(file.template) else {
        throw Template.Invalid(text: "the template \(file.template) is missing")
      }
      let source = try Template(text, name: file.template).render(values, rowNames: [], name: file.template)
      rendered.append(RenderedFile(file, source: source))
    }
    return rendered
  }

  /// Of a regular expression. Names of hosts and logins have no other special characters than these.
  private func pattern(_ name: String) -> String { name.replacing(".", with: "\\.").replacing("+", with: "\\+") }

  private static let header =
    "# Written by `mailhost relay` from /etc/mailboot/relay.toml: change that. What is edited here, the next\n"
    + "# `mailhost relay --check` notices and asks about."
}
