import MailHostProof
import Testing

@Test func aProofThatCouldNotBeTriedIsNotPassed() {
  #expect(Proof("open-relay", .skip, "the vault is locked").result != .pass)
}
