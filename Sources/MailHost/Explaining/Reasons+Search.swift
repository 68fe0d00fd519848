import Text

extension Reasons {
  /// Every setting that a word may mean: its name, the end of its path, the file that it is in, a section around it.
  ///
  /// The first of these that finds anything counts: who asks for `quota` does not mean all that is in a section of that name, where
  /// there is a setting of that name.
  public func search(_ word: String) -> [ExplainedSetting] {
    let ways: [(ExplainedSetting) -> Bool] = [
      { $0.path.last == word },
      { "\($0.file)/\($0.name)".hasSuffix("/" + word) },
      { $0.file == word || $0.file.hasSuffix("/" + word) },
      { $0.path.contains(word) },
      { $0.path.contains { $0.split(separator: " ").contains(word[...]) } },
    ]
    for isMeant in ways {
      let found = settings.filter(isMeant)
      if !found.isEmpty { return found }
    }
    return []
  }

  /// The words that were meant perhaps, nearest first: those that contain it or are contained in it, then those that are spelt much the
  /// same.
  public static func nearest(to word: String, among names: [String], limit: Int = 5) -> [String] {
    let distances = Set(names).map { name -> (name: String, distance: Int) in
      let isPart =
        word.count > 2 && name.firstRange(of: word) != nil || name.count > 2 && word.firstRange(of: name) != nil
      return (name, isPart ? 0 : editDistance(name, word))
    }
    let allowed = max(2, word.count / 3)
    return distances.filter { $0.distance <= allowed }.sorted { ($0.distance, $0.name) < ($1.distance, $1.name) }
      .prefix(limit).map(\.name)
  }
}
