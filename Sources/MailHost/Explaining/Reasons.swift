/// Settings with the reasons that stand above them.
///
/// The comment above a setting, with its `#?` notes, is the reason of every setting up to the next blank line or the next comment. The
/// same text is read by whoever opens the file, and told by `mailhost explain`.
public struct Reasons: Sendable {
  public let settings: [ExplainedSetting]

  public init(_ files: [RenderedFile]) {
    settings = files.flatMap { Self.settings($0.source, of: $0.file) }
  }

  private init(_ settings: [ExplainedSetting]) { self.settings = settings }

  /// Each setting of a file with each of its values only once: where files of several hosts were read.
  public var withoutRepetitions: Reasons {
    var seen: Set<[String]> = []
    return Reasons(settings.filter { seen.insert([$0.file, $0.name, $0.value]).inserted })
  }

  /// The settings of a text of which `mailhost` writes the lines that do not begin with `#?`.
  static func settings(_ source: String, of file: HostFile) -> [ExplainedSetting] {
    let header = Set(file.header.split(separator: "\n"))
    var reader = SettingReader(file.syntax, name: file.path.split(separator: "/").last.map(String.init) ?? file.path)
    var settings: [ExplainedSetting] = []
    var reason = Reason()
    var isInComment = false
    var number = 0
    let comment = file.syntax.comment
    for line in source.split(separator: "\n", omittingEmptySubsequences: false) {
      let words = trimmed(line)[...]
      let isNote = line.hasPrefix("#?")
      if !isNote { number += 1 }
      if words.isEmpty {
        reason = Reason()
        isInComment = false
      } else if words.hasPrefix("#!") || header.contains(line) {
        continue
      } else if isNote || words.hasPrefix(comment) {
        if !isInComment { reason = Reason() }
        isInComment = true
        if isNote {
          reason.take(note: words.dropFirst(2))
        } else {
          reason.take(comment: words.dropFirst(comment.count))
        }
      } else {
        isInComment = false
        switch reader.read(line) {
        case .setting(let path, let value):
          settings.append(
            ExplainedSetting(file: file.path, line: number, path: path, value: value, reason: reason))
        case .continuation(let text):
          guard let last = settings.indices.last else { continue }
          settings[last].value += (settings[last].value.isEmpty ? "" : " ") + text
        case .nothing: continue
        }
      }
    }
    return settings
  }
}
