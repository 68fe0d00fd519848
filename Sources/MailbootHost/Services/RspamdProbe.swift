import Linux
import MailbootCore

/// How rspamd can be asked on this machine: by the worker that scans, else by the one that postfix talks to.
struct RspamdProbe {
  /// The directories whose files override each other, the last one wins.
  var directories = ["/etc/rspamd/local.d", "/etc/rspamd/override.d"]

  /// Nil: as the package has it.
  var url: String? {
    let scanner = settings(of: "worker-normal.inc")
    if !isOff(scanner["enabled"]) { return scanner["bind_socket"].flatMap { url($0, tcp: "http", path: "/ping") } }
    // It scans by itself, and speaks nothing but the filter protocol.
    return url(settings(of: "worker-proxy.inc")["bind_socket"] ?? "localhost:11332", tcp: "milter", path: "")
  }

  private func isOff(_ value: String?) -> Bool { ["false", "no", "off"].contains(value ?? "") }

  /// `NAME = VALUE;`, one a line, which is how these files are written. Anything else is left to whoever configures a probe.
  private func settings(of file: String) -> [String: String] {
    var found: [String: String] = [:]
    for directory in directories {
      for line in (readSmallText("\(directory)/\(file)") ?? "").split(separator: "\n") {
        let text = line.prefix { $0 != "#" }.split(separator: ";").first ?? ""
        let parts = text.split(separator: "=", maxSplits: 1).map { part in
          String(part.filter { $0 != "\"" }).split(whereSeparator: \.isWhitespace).joined(separator: " ")
        }
        if parts.count == 2 { found[parts[0]] = parts[1] }
      }
    }
    return found
  }

  /// `127.0.0.1:11333`, `*:11333`, `/run/rspamd/worker.sock mode=0666`.
  private func url(_ socket: String, tcp scheme: String, path: String) -> String? {
    let address = socket.split(separator: " ").first.map(String.init) ?? ""
    if address.hasPrefix("/") { return (scheme == "milter" ? "milter://" : "unix://") + address }
    guard let colon = address.lastIndex(of: ":") else { return nil }
    let host = address[..<colon]
    let isAny = ["*", "*v4", "0.0.0.0", "localhost"].contains(host)
    return "\(scheme)://\(isAny ? "127.0.0.1" : String(host)):\(address[address.index(after: colon)...])\(path)"
  }

  /// The services of a host that has not configured any, asked where they listen.
  func completed(_ services: [Configuration.Service]) -> [Configuration.Service] {
    guard services == Configuration.Service.standard, let url, let probe = try? ProbeURL(parsing: url) else {
      return services
    }
    return services.map { service in
      var service = service
      if service.name == "rspamd" { (service.probe, service.probeText) = (probe, url) }
      return service
    }
  }
}
