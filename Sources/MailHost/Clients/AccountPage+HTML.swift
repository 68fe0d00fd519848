extension AccountPage {
  /// One file that loads nothing from elsewhere.
  public var html: String {
    let title = "Mail account \(markup(address))"
    var body = "<h1>\(title)</h1>\n"
    body += table([("user name", "\(address) (the whole address)"), ("password", Self.passwordNote)])
    for section in sections { body += "<h2>\(markup(section.title))</h2>\n" + table(section.rows) }
    if let profile {
      body += "<p>iPhone, iPad and Mac: <a href=\"\(markup(profile))\">install this profile</a>.</p>\n"
    }
    return """
      <!DOCTYPE html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <title>\(title)</title>
      <style>body { font-family: sans-serif } th { text-align: left; font-weight: normal; padding-right: 2em }</style>
      </head>
      <body>
      \(body)</body>
      </html>

      """
  }

  private func table(_ rows: [(name: String, value: String)]) -> String {
    "<table>\n"
      + rows.map { "<tr><th>\(markup($0.name))</th><td>\(markup($0.value))</td></tr>\n" }.joined() + "</table>\n"
  }
}
