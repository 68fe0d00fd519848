import Text

extension AccountPage {
  /// Lines of at most 80 columns, as far as the names in them are not longer.
  public var text: String {
    var lines = ["Mail account \(visibleInLine(address))", ""]
    lines += rows([("user name", "\(visibleInLine(address)) (the whole address)"), ("password", Self.passwordNote)])
    for section in sections { lines += ["", section.title] + rows(section.rows) }
    if let profile {
      lines += ["", "iPhone, iPad and Mac: open this link, and install the profile", "  " + profile]
    }
    return lines.map { $0 + "\n" }.joined()
  }

  private func rows(_ rows: [(name: String, value: String)]) -> [String] {
    rows.map { name, value in "  " + name + String(repeating: " ", count: max(1, 12 - name.count)) + value }
  }
}
