import ArgumentParser
import Console
import Linux
import MailHost
import Text

struct WebVerb: Verb {
  static let configuration = CommandConfiguration(
    commandName: "web", abstract: "Write what a web server has to serve, so that mail programs set themselves up.",
    discussion: """
      Writes config-v1.1.xml (Thunderbird and others) and mta-sts.txt (senders) into the web root that [web] in mailhost.toml names, for \
      every domain in the account database, and prints the lines for the web server and the DNS. Call it again when a domain came or went.
      """)

  /// What is printed.
  enum Show: String, ExpressibleByArgument, CaseIterable {
    case all, nginx, apache, dns, none
  }

  @OptionGroup var host: HostOptions

  @Option(help: "Which lines are printed: all, nginx, apache, dns or none.")
  var show = Show.all

  @Option(help: ArgumentHelp("Replace this file, whosever it is.", valueName: "file"))
  var overwrite: [String] = []

  func perform(_ terminal: Terminal) throws(HostFailure) -> Status {
    if host.prefix.isEmpty { try requireRoot("web") }
    let settings = try host.settings()
    let root = HostRoot(prefix: host.prefix)
    let webRoot = try WebRoot(settings, root)
    let lock = try HostLock(root)
    defer { withExtendedLifetime(lock) {} }
    let accounts = HostedAccounts(settings: settings, root: root)
    let domains = try domains(settings, accounts)
    let site = WebSite(settings, root: webRoot.path, domains: domains)
    for name in site.unusable {
      tell("warning: \(visibleInLine(name)) is no domain that the DNS can have; `mailcfg check` tells more")
    }
    if root.isHere, let reason = webRoot.untrusted {
      tell("warning: \(visible(reason)): whoever that is can have mail programs connect elsewhere")
    }
    let due = try webRoot.due(files(site, domains, webRoot, isLocked: accounts.isLocked), overwrite: overwrite)
    for file in due {
      try webRoot.write(file)
      report("wrote \(webRoot.path)\(file.path)")
    }
    if due.isEmpty { report("nothing to do: \(webRoot.path) is as it is to be") }
    print(site)
    return 0
  }

  private func domains(_ settings: HostSettings, _ accounts: HostedAccounts) throws(HostFailure) -> [String] {
    let isLocked = accounts.isLocked
    if isLocked {
      tell("note: the vault is locked: the domains are those of mailhost.toml, not those of the account database")
    }
    let domains = try isLocked ? Set(settings.domains.map { $0.lowercased() }).sorted() : accounts.domains()
    guard !domains.isEmpty else {
      throw HostFailure(.failed, "this host has no domain yet; nothing was made", hint: "`mailcfg adddom DOMAIN`")
    }
    return domains
  }

  private func files(
    _ site: WebSite, _ domains: [String], _ webRoot: WebRoot, isLocked: Bool
  ) throws(HostFailure) -> [WebRoot.File] {
    let autoconfig = Autoconfig(site.servers, domains: domains)
    var files: [WebRoot.File] = []
    for path in Autoconfig.paths {
      if isLocked, let there = try webRoot.stored(path)?.text, Autoconfig.isOurs(there),
        autoconfig.lacksDomains(of: there)
      {
        tell("note: \(webRoot.path)\(path) names more domains than mailhost.toml, and stays until the vault is open")
        continue
      }
      files.append(
        WebRoot.File(path: path, bytes: Array(autoconfig.text.utf8), isOurs: { Autoconfig.isOurs($0.text) }))
    }
    files.append(
      WebRoot.File(
        path: MTASTSPolicy.path, bytes: Array(site.policy.text.utf8), isOurs: { MTASTSPolicy.isOurs($0.text) }))
    return files
  }

  /// What is asked for alone is alone on standard output, so that it can be redirected into a file.
  private func report(_ line: String) {
    if [.all, .none].contains(show) { say(line) } else { tell(line) }
  }

  private func print(_ site: WebSite) {
    func section(_ which: Show, _ title: String, _ text: String) {
      if show == .all { say("\n\(title)") }
      if show == .all || show == which { emit(text, to: 1) }
    }
    section(.nginx, "# nginx: /etc/nginx/conf.d/mailhost.conf", site.nginx)
    section(.apache, "# apache: /etc/apache2/sites-available/mailhost.conf", site.apache)
    section(
      .dns, "; DNS; the TXT records when the policies can be fetched", site.records.map { $0 + "\n" }.joined())
  }
}
