import JSON
import Text

/// One thing that is known of a vault: for people a line, for scripts a member of an object.
public struct VaultFact: Sendable {
  /// Name in JSON.
  public var key: String
  /// Beginning of its line; nil: only scripts are told.
  public var label: String?
  public var text: String
  public var json: JSONText

  public init(_ key: String, _ label: String?, _ text: String, _ json: JSONText? = nil) {
    self.key = key
    self.label = label
    self.text = text
    self.json = json ?? .string(text)
  }
}

/// What `mailboot vault check` found of one thing.
public struct VaultFinding: Equatable, Sendable {
  public enum Verdict: String, Sendable {
    case ok, warn, bad, skipped
  }
  /// `header`, `file system` and the like.
  public var subject: String
  public var verdict: Verdict
  public var detail: String
  /// Lines of a tool, for showing.
  public var evidence: [String]

  public init(_ subject: String, _ verdict: Verdict, _ detail: String, evidence: [String] = []) {
    self.subject = subject
    self.verdict = verdict
    self.detail = detail
    self.evidence = evidence
  }
}

extension VaultFinding {
  /// Of both copies of a header.
  public static func header(_ facts: LUKSFacts) -> [VaultFinding] {
    var found: [VaultFinding] = []
    let trouble = facts.copyTrouble
    if let copies = facts.copies {
      found.append(
        trouble.isEmpty
          ? VaultFinding("header", .ok, "both copies are intact (change \(copies.first?.sequence ?? 0))")
          : VaultFinding("header", .bad, trouble.joined(separator: "; ")))
    } else {
      found.append(VaultFinding("header", .ok, "LUKS1 has one copy, and it can be read"))
    }
    if facts.keyslots == 0 { found.append(VaultFinding("keyslots", .bad, "no keyslot holds the volume's key")) }
    switch facts.reencryption {
    case .none: break
    case .begun:
      found.append(VaultFinding("re-encryption", .warn, "stopped at a safe point; `mailboot vault rekey` goes on"))
    case .cut:
      found.append(
        VaultFinding(
          "re-encryption", .warn,
          "was cut; opening the vault puts the cut blocks right, `mailboot vault rekey` goes on"))
    case .unknown:
      found.append(VaultFinding("re-encryption", .bad, "its record in the header is not understood"))
    }
    return found
  }
}
