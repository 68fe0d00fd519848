/// Levenshtein distance, for "perhaps you meant".
public func editDistance(_ left: String, _ right: String) -> Int {
  let b = Array(right.unicodeScalars)
  var row = Array(0...b.count)
  for (i, x) in left.unicodeScalars.enumerated() {
    var corner = row[0]
    row[0] = i + 1
    for (j, y) in b.enumerated() {
      let next = min(row[j] + 1, row[j + 1] + 1, corner + (x == y ? 0 : 1))
      corner = row[j + 1]
      row[j + 1] = next
    }
  }
  return row[b.count]
}
