/// What changes from one text to another, as `diff -u` shows it, without the two lines with file names.
public enum UnifiedDiff {
  private enum Step {
    case kept(String)
    case removed(String)
    case added(String)
  }

  /// - Parameter context: how many unchanged lines are shown around a change.
  /// - Returns: no lines when the texts are the same.
  public static func lines(_ old: String, _ new: String, context: Int = 3) -> [String] {
    let steps = steps(from: split(old), to: split(new))
    let changed = steps.indices.filter { if case .kept = steps[$0] { false } else { true } }
    var hunks: [Range<Int>] = []
    for index in changed {
      let around = max(0, index - context)..<min(steps.count, index + context + 1)
      if let last = hunks.last, around.lowerBound <= last.upperBound {
        hunks[hunks.count - 1] = last.lowerBound..<around.upperBound
      } else {
        hunks.append(around)
      }
    }
    return hunks.flatMap { render(steps, $0) }
  }

  private static func render(_ steps: [Step], _ hunk: Range<Int>) -> [String] {
    var lines: [String] = []
    // How many lines of each side come before the hunk, and are in it.
    var before = (old: 0, new: 0)
    var inside = (old: 0, new: 0)
    for index in 0..<hunk.upperBound {
      let isInside = hunk.contains(index)
      func count(_ counts: inout (old: Int, new: Int)) {
        switch steps[index] {
        case .kept: counts = (counts.old + 1, counts.new + 1)
        case .removed: counts.old += 1
        case .added: counts.new += 1
        }
      }
      if isInside { count(&inside) } else { count(&before) }
      guard isInside else { continue }
      switch steps[index] {
      case .kept(let text): lines.append(" " + text)
      case .removed(let text): lines.append("-" + text)
      case .added(let text): lines.append("+" + text)
      }
    }
    func range(_ before: Int, _ count: Int) -> String {
      let first = count == 0 ? before : before + 1
      return count == 1 ? "\(first)" : "\(first),\(count)"
    }
    return ["@@ -\(range(before.old, inside.old)) +\(range(before.new, inside.new)) @@"] + lines
  }

  private static func steps(from old: [String], to new: [String]) -> [Step] {
    var removed: Set<Int> = []
    var added: Set<Int> = []
    for change in new.difference(from: old) {
      switch change {
      case .remove(let offset, _, _): removed.insert(offset)
      case .insert(let offset, _, _): added.insert(offset)
      }
    }
    var steps: [Step] = []
    var (here, there) = (0, 0)
    while here < old.count || there < new.count {
      if removed.contains(here) {
        steps.append(.removed(old[here]))
        here += 1
      } else if added.contains(there) {
        steps.append(.added(new[there]))
        there += 1
      } else {
        steps.append(.kept(old[here]))
        here += 1
        there += 1
      }
    }
    return steps
  }

  private static func split(_ text: String) -> [String] {
    if text.isEmpty { return [] }
    var lines = textLines(text)
    if lines.last?.isEmpty == true {
      lines.removeLast()
    } else {
      lines[lines.count - 1] += "\n\\ No newline at end of file"
    }
    return lines
  }
}
