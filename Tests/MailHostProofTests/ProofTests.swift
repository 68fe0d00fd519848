import MailHostProof
import Testing

@Test func everyProofHasANameOfItsOwn() {
  let names = ProofRun.promises.map(\.name)
  #expect(Set(names).count == names.count)
  #expect(names.count > 15)
}
