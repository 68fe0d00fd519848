import Testing
import Text

struct ByteCountTests {
  @Test(
    arguments: [
      ("4096", 4096), ("10G", 10 << 30), ("512M", 512 << 20), ("1.5K", 1536), ("2TiB", 2 << 40), ("1gb", 1 << 30),
      ("0", 0), ("9223372036854775807", 9_223_372_036_854_775_807),
    ] as [(String, UInt64)])
  func sizesAreReadAsPeopleWriteThem(_ text: String, _ bytes: UInt64) { #expect(ByteCount.parse(text) == bytes) }

  @Test(arguments: [
    "", "G", "-1G", "10 X", "1e9", "1..5G", "5.", "9999999999T", "10G of it", "٣G", "9223372036854775808",
  ])
  func anythingElseIsNone(_ text: String) { #expect(ByteCount.parse(text) == nil) }

  @Test func sizesAreShownInTheLargestUnitThatFits() {
    #expect(ByteCount.text(512) == "512 B")
    #expect(ByteCount.text(1536) == "1.5 KiB")
    #expect(ByteCount.text(10 << 30) == "10.0 GiB")
  }
}
