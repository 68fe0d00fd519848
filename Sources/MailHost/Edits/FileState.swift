/// How a file on the host stands to what we would write.
public enum FileState: String, Equatable, Sendable, CaseIterable {
  /// It is not there.
  case absent
  /// It says what we would write.
  case same
  /// It is as we wrote it, and we would write it otherwise now.
  case ours
  /// Since we wrote it, a package's script has changed it in a way that we know: nobody is asked.
  case package
  /// Since we wrote it, somebody has changed it.
  case edited
  /// It is what the package put there, and never was ours.
  case stock
  /// It is somebody's, and never was ours.
  case foreign
}

/// What the file on the host is to us.
/// - Parameters:
///   - onDisk: its text; nil: it is not there.
///   - lastWritten: what we wrote last; nil: never.
///   - isStock: whether it is as the package puts it there; see ``StockFiles``.
public func state(of file: RenderedFile, onDisk: String?, lastWritten: String?, isStock: Bool) -> FileState {
  guard let onDisk else { return .absent }
  if onDisk == file.text { return .same }
  // Our own text of before is brought up to date even where only a comment is new: comments are the explanation.
  if onDisk == lastWritten { return .ours }
  let syntax = file.file.syntax
  if syntax.saysTheSame(onDisk, file.text) { return .same }
  guard let lastWritten else { return isStock ? .stock : .foreign }
  if syntax.saysTheSame(onDisk, lastWritten) { return .ours }
  return PackageEdits.explain(syntax, from: lastWritten, to: onDisk) ? .package : .edited
}

extension HostFile.Syntax {
  /// Whether two texts tell the program the same: by parameters and services where we can read them, else by the lines less the
  /// white space at their ends.
  public func saysTheSame(_ one: String, _ other: String) -> Bool {
    switch self {
    case .postfixMain: MainCF(one).saysTheSame(as: MainCF(other))
    case .postfixMaster: MasterCF(one) == MasterCF(other)
    default: Self.plainLines(one) == Self.plainLines(other)
    }
  }

  private static func plainLines(_ text: String) -> [String] {
    var lines = textLines(text).map { line in
      var line = line
      while let last = line.last, isSpace(last) { line.removeLast() }
      return line
    }
    while lines.last?.isEmpty == true { lines.removeLast() }
    return lines
  }
}
