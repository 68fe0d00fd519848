import Text

/// The known word that a mistyped one was meant to be; nil when none is near.
public func nearestWord(_ typed: String, among known: [String]) -> String? {
  let best = known.map { (word: $0, distance: editDistance($0, typed)) }.min { $0.distance < $1.distance }
  return best.flatMap { $0.distance <= 2 ? $0.word : nil }
}
