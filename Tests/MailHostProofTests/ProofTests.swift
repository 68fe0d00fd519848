import Testing

@testable import MailHostProof

@Test func everyNameIsTriedOnce() {
  let names = ProofKind.all.map(\.name)
  #expect(names.count == ProofName.allCases.count)
  #expect(Set(names) == Set(ProofName.allCases))
}
